"""Bytes or text in, values out; nothing here opens a file."""
