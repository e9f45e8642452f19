"""Times of container starts, and of what linkspan makes beforehand."""
