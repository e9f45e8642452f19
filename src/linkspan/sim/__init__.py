"""A simulated GPU host, for machines without one."""
