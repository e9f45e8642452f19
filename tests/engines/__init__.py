"""Real container engines, each run as if on a machine of its own, and what linkspan does under them."""
