"""The failure modes of the catalogue, each done to a simulated host the way it happens to a real one."""
