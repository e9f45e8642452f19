"""A bundle: what one run of the doctor read of a host, without secrets, to be examined somewhere else.

It is a zip file with ``host.json`` (what was read), ``report.json`` (what was found) and ``README.txt``.
"""

import io
import re
import zipfile
from typing import Any

import msgspec

from linkspan._version import __version__
from linkspan.check.eyes import pack, unpack
from linkspan.check.model import Report
from linkspan.errors import FormatError, HostError
from linkspan.kernel.files import write_whole

HOST, REPORT, ABOUT = "host.json", "report.json", "README.txt"
LIMIT = 256 << 20
"""Bytes that a bundle may unpack to: one that somebody sent is nobody's friend."""

_NAMED = re.compile(
    r"""(?P<name>["']?[\w.-]*(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|credential|auth)[\w.-]*["']?\s*[:=]\s*)"""
    r"""(?P<value>"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^\s,}\]\0]+)""",
    re.IGNORECASE,
)
_IN_ADDRESS = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]{1,20}://)[^\s/@\"']{1,200}@", re.IGNORECASE)
_GONE = "(left out)"

README = """\
This is what linkspan doctor read of a host, and what it found. It holds no key, password or token that could be told by
its name, and of the variables of processes only those of the GPU stack. Look through host.json before you pass it on.

    linkspan doctor --from THIS_FILE
"""


def save(path: str, known: dict[str, Any], report: Report) -> None:
    """Write a bundle, whole or not at all. Raises KernelError."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(ABOUT, f"linkspan {__version__}\n\n{README}")
        archive.writestr(HOST, pack({key: redacted(value) for key, value in known.items()}))
        archive.writestr(REPORT, msgspec.json.format(msgspec.json.encode(report)))
    write_whole(path, made.getvalue(), 0o600)


def load(path: str) -> dict[str, Any]:
    """What a bundle's host was read as. Raises HostError where it cannot be read, FormatError where it is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(HOST).file_size > LIMIT:
                raise FormatError(f"{path} would unpack to more than {LIMIT >> 20} MiB", subject=path)
            return unpack(archive.read(HOST))
    except OSError as error:
        raise HostError(f"cannot read {path}: {(error.strerror or 'unknown').lower()}", subject=path) from error
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError) as error:
        hint = "'linkspan doctor --bundle FILE' writes one"
        raise FormatError(f"{path} is no bundle of linkspan's", hint=hint, subject=path) from error


def redacted(value: Any) -> Any:
    """A value that was read, without the secrets in it."""
    if isinstance(value, bytes):
        try:
            return _text(value.decode()).encode()
        except UnicodeDecodeError:
            return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return {key: redacted(_named(key, one)) for key, one in value.items()}
    return [redacted(one) for one in value] if type(value) is list else value


def _named(key: Any, value: Any) -> Any:
    return _GONE if isinstance(value, str) and _NAMED.match(f"{key}=x") else value


def _text(text: str) -> str:
    text = _IN_ADDRESS.sub(rf"\g<scheme>{_GONE}@", text)
    return _NAMED.sub(_without_value, text)


def _without_value(found: re.Match[str]) -> str:
    quote = found["value"][0] if found["value"][0] in "\"'" else ""
    return f"{found['name']}{quote}{_GONE}{quote}"
