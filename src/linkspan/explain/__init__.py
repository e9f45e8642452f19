"""Why a container has its GPUs, or has none: from a running one, a bundle, a request to come, or a pasted error."""
