"""What a container runtime gives its hooks: the state on standard input, and the bundle that the state names."""

import posix as os

from linkspan.errors import ConfigError, FormatError
from linkspan.formats import fastjson, pathnames

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Document = dict[str, Any]

STATE_LIMIT = 1 << 20
"""Bytes of the state: an id, a pid, a bundle and the annotations."""
CONFIG_LIMIT = 16 << 20
"""Bytes of a config.json; engines write some tens of kilobytes, and a pod with a thousand mounts stays below 1 MiB."""


def read_state(path: str = "") -> "Document":
    """The container's state, from a file or standard input.

    FormatError where it is none, ConfigError where the file cannot be read.
    """
    if not path:
        return _state(_read_all(0), "on standard input")
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as error:
        raise ConfigError(f"cannot read the container's state in {path}: {error.strerror}", subject=path) from None
    try:
        return _state(_read_all(fd), f"in {path}")
    finally:
        os.close(fd)


def _read_all(fd: int) -> bytes:
    data = bytearray()
    while len(data) <= STATE_LIMIT and (part := os.read(fd, 65536)):
        data += part
    return bytes(data)


def _state(data: bytes, where: str) -> "Document":
    if len(data) > STATE_LIMIT:
        raise FormatError(f"the container's state {where} is too large")
    try:
        state = fastjson.loads(data.decode())
    except (UnicodeDecodeError, FormatError):
        state = None
    if not isinstance(state, dict):
        raise FormatError(f"the container's state {where} is not a JSON object")
    return state


def bundle_of(state: "Document") -> str:
    """The bundle's folder; runtimes before OCI 1.0 call it ``bundlePath``."""
    bundle = state.get("bundle") or state.get("bundlePath")
    if not isinstance(bundle, str):
        raise FormatError("the container's state names no bundle")
    return bundle


def read_config(path: str) -> bytes:
    """A config.json, whole. ConfigError where it cannot be read, FormatError where it is too large."""
    try:
        with open(path, "rb", buffering=0) as file:
            data = file.read(CONFIG_LIMIT + 1)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}", hint="is the bundle the right folder?") from None
    if data is None or len(data) > CONFIG_LIMIT:
        raise FormatError(f"{path} is larger than {CONFIG_LIMIT >> 20} MiB", subject=path)
    return data


def parse_config(data: bytes) -> "Document":
    """The specification in a config.json. FormatError where it is none."""
    try:
        spec = fastjson.loads(data.decode())
    except UnicodeDecodeError as error:
        raise FormatError(f"config.json is not UTF-8 at byte {error.start}") from None
    except FormatError as error:
        raise FormatError(f"config.json cannot be read: {error.message}") from None
    if not isinstance(spec, dict):
        raise FormatError("config.json is not a JSON object")
    return spec


def root_of(bundle: str, spec: "Document") -> str:
    """The path of the container's root on the host."""
    root = spec.get("root")
    path = root.get("path") if isinstance(root, dict) else None
    if not isinstance(path, str) or not path:
        raise FormatError(f"{bundle}/config.json names no root")
    return pathnames.join(bundle, path)


def root_owner(spec: "Document") -> "tuple[int, int] | None":
    """The host's ids of the container's root; None where its user namespace is another's, or maps no root."""
    linux = spec.get("linux") or {}
    user_namespaces = [entry for entry in linux.get("namespaces") or () if entry.get("type") == "user"]
    if not user_namespaces:
        return (0, 0)
    if user_namespaces[0].get("path"):
        return None
    uid, gid = _mapped_root(linux.get("uidMappings")), _mapped_root(linux.get("gidMappings"))
    return None if uid is None or gid is None else (uid, gid)


def _mapped_root(mappings: "list[dict[str, int]] | None") -> "int | None":
    return next((entry["hostID"] for entry in mappings or () if entry["containerID"] == 0 and entry["size"]), None)
