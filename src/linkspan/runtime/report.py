"""What the start path says: one line on standard error, and where the engine looks for it.

Engines start the runtime with ``--log FILE --log-format json`` and show the last line of level ``error`` as the reason
why a container did not start, so a failure is written there too, in runc's format.
"""

import posix as os
import sys
import time

from linkspan.errors import FormatError, LinkspanError
from linkspan.formats import fastjson, oci

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

PROGRAM = "linkspan-runtime"


def failure(error: LinkspanError, argv: "Sequence[str]" = (), program: str = PROGRAM) -> None:
    """Say why a container does not start: cause, what to do, and the error's code, in one line."""
    line = f"{program}: {one_line(error)}"
    os.write(2, (line + "\n").encode("utf-8", "replace"))
    path, log_format = oci.log_of(argv)
    if path:
        _append(path, _entry("error", line, log_format))


def unforeseen(error: Exception) -> LinkspanError:
    """What Python itself says, as an error that can be shown: of a file, or of a config.json of another shape."""
    if isinstance(error, RecursionError):
        return FormatError("config.json is nested too deeply")
    if isinstance(error, OSError):
        return LinkspanError(f"{error.filename or 'the bundle'}: {error.strerror}")
    if isinstance(error, KeyError | TypeError | AttributeError | ValueError):
        return FormatError(f"config.json is not an OCI runtime specification: {error}")
    return LinkspanError(f"{type(error).__name__}: {error}", hint="please report it")


def one_line(error: LinkspanError) -> str:
    """The error without line breaks, whatever a file name or a variable in it may hold, with its code at the end."""
    text = "".join(character if character.isprintable() else "?" for character in str(error))
    return f"{text} [{error.code}]"


def success(path: str, edits: "dict[str, Any]") -> None:
    """Note an injection in the log that the configuration names."""
    if "says" in edits:
        _append(path, _entry("info", f"{PROGRAM}: {edits['says']}", "text"))


def _entry(level: str, message: str, log_format: str) -> str:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    if log_format == "json":
        return fastjson.dumps({"level": level, "msg": message, "time": now})
    return f"time={fastjson.dumps(now)} level={level} msg={fastjson.dumps(message)}"


def _append(path: str, line: str) -> None:
    """A log that cannot be written never stops a container."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY, 0o644)
    except OSError as error:
        print(f"{PROGRAM}: cannot write {path}: {error.strerror}", file=sys.stderr)  # noqa: T201  # its only front end
        return
    try:
        os.write(descriptor, (line + "\n").encode())
    finally:
        os.close(descriptor)
