"""HTTP over a Unix socket, as Docker's daemon speaks it."""

import http.client
import socket


class Connection(http.client.HTTPConnection):
    """A connection to the socket at ``path``; each wait ends after ``timeout_s`` seconds, with an OSError."""

    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self.path = path

    def connect(self) -> None:
        """Connect to the socket instead of the host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)
