"""The commands of a simulated node, by name. Each is a function of a `Shell` and its arguments."""
