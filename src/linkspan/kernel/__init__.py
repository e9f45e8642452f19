"""The only code that changes the machine.

What the start path uses of it imports ``posix`` in the place of ``os``: the same calls, without the module around them
that brings abstract classes and ``posixpath``, and takes 1 ms of a start that has 12.
"""
