"""The start path: runs at every container start, so it imports next to nothing (see ``kernel`` on ``posix``)."""
