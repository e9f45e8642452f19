"""The demo: the guide's container starts, made for real and looked at from inside."""
