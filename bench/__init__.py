"""`make bench`: the panel against what an operator would use instead, in one run on lab servers.

Every figure is a ratio or a percentile measured now; nothing here passes or fails.
"""
