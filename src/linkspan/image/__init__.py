"""Images: read from wherever they are, without running or unpacking them, and judged by what is in them."""
