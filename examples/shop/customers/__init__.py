"""The customers: the scenario that drives the shop, the same on every run."""
