"""A Dockerfile for a project: what it needs is read from its files, nothing of it is run."""
