"""A read-only view of a GPU host below a driver root."""
