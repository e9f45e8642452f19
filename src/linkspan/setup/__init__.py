"""The minimal check-list of a GPU host as a plan for its distribution."""
