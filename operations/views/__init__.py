"""The pages about what is done: plan, run, log, list and dock. They render; they decide nothing."""
