"""The one family of errors.

    LinkspanError
    ├── RequestError        what the container asked for cannot be read or cannot be granted
    │   ├── DeviceNotFound      a GPU, MIG device or channel that this host does not have
    │   └── RequirementError    the driver or GPU does not meet NVIDIA_REQUIRE_*
    ├── HostError           the host lacks something: driver, node, library
    │   └── StaleError          what was saved about the host is no longer true
    ├── ConfigError         a configuration file that cannot be followed
    ├── SpecError           a CDI or OCI document that breaks its rules
    ├── FormatError         bytes that are not what their name says: ELF, ld.so.cache, /proc text
    ├── UnsafePath          a path that leads, or may lead, out of its root
    └── KernelError         a system call that failed

A message is one sentence: cause first, then what was found; lower case, no full stop. The hint says what to do.
Code below the front ends raises; only front ends print and pick exit codes. This module imports nothing.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar


class LinkspanError(Exception):
    """Anything that linkspan can say about why it does not go on.

    ``message`` is the cause in one sentence, ``hint`` what to do about it, ``subject`` the file, variable or device
    that it is about. ``code`` is stable and appears in the output, so that it can be searched for and scripted.
    """

    code: "ClassVar[str]" = "error"

    def __init__(self, message: str, *, hint: str = "", subject: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.subject = subject

    def __str__(self) -> str:
        """The error as one line: message, then the hint after a semicolon."""
        return f"{self.message}; {self.hint}" if self.hint else self.message


class RequestError(LinkspanError):
    """What the container asked for cannot be read or cannot be granted."""

    code = "request"


class DeviceNotFound(RequestError):
    """A GPU, MIG device or IMEX channel was asked for that this host does not have."""

    code = "device-not-found"


class RequirementError(RequestError):
    """The driver or a GPU does not meet an ``NVIDIA_REQUIRE_*`` expression."""

    code = "requirement"


class HostError(LinkspanError):
    """The host lacks something that the request needs: a driver, a device node, a library."""

    code = "host"


class StaleError(HostError):
    """What was saved about the host is no longer true."""

    code = "stale"


class ConfigError(LinkspanError):
    """A configuration file that cannot be followed; ``subject`` is ``FILE:LINE`` where it is known."""

    code = "config"


class SpecError(LinkspanError):
    """A CDI or OCI document that breaks its rules; ``subject`` is ``FILE:LINE`` where it is known."""

    code = "spec"


class FormatError(LinkspanError):
    """Bytes that are not what their name says they are."""

    code = "format"


class UnsafePath(LinkspanError):
    """A path that leads, or may lead, out of the root it has to stay below."""

    code = "unsafe-path"


class KernelError(LinkspanError):
    """A system call that failed; the message names the operation, the subject and the cause."""

    code = "kernel"
