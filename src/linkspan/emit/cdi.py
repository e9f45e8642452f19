"""A planned CDI spec as a document, and that as YAML or JSON, in the toolkit's order and shape (contract 5.2)."""

import json
import posixpath
import re
from collections.abc import Iterator
from typing import Any

from linkspan.emit.operations import hook, hook_arguments
from linkspan.facts.model import DeviceNode
from linkspan.formats.cdi import Document, lowest_version
from linkspan.plan.model import CdiDevice, CdiPlan, Injection, Mount

_INDENT = 4

_PLAIN = re.compile(r"(?:[A-Za-z_]|\.{0,2}/|--[a-z])[A-Za-z0-9_./:=+,@-]*(?<!:)|\d+\.\d+\.\d+")
_WORDS_WITH_A_MEANING = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def document(plan: CdiPlan, hook_path: str) -> Document:
    """The CDI spec for a plan, of the lowest version that allows what it says.

    ``hook_path`` is our hook program, as the low-level runtime finds it on the host.
    """
    common = container_edits(plan.common, hook_path)
    devices = [_device(device, common, hook_path) for device in sorted(plan.devices, key=lambda device: device.name)]
    spec: Document = {"kind": plan.kind, "devices": devices} | ({"containerEdits": common} if common else {})
    return {"cdiVersion": lowest_version(spec), **spec}


def container_edits(injection: Injection, hook_path: str) -> dict[str, Any]:
    """The container edits that carry an injection; what has to be done inside the root is one hook entry."""
    arguments = hook_arguments(injection)
    edits: dict[str, list[Any]] = {
        "env": list(injection.env),
        "deviceNodes": [_node(node) for node in sorted(injection.devices, key=lambda node: _depth_first(node.path))],
        "hooks": [{"hookName": "createContainer", **hook(hook_path, arguments)}] if arguments else [],
        "mounts": [
            _mount(mount) for mount in sorted(injection.mounts, key=lambda mount: _depth_first(mount.container_path))
        ],
        "additionalGids": list(injection.gids),
    }
    return {key: _once(entries) for key, entries in edits.items() if entries}


def to_yaml(document: Document, remark: str = "") -> str:
    """The document as YAML; ``remark`` becomes a comment line below the leading ``---``."""
    lines = ["---", *([f"# {remark}"] if remark else []), *_yaml_lines(document, 0)]
    return "\n".join(lines) + "\n"


def to_json(document: Document) -> str:
    """The document as JSON on one line, without a newline at its end, as the toolkit writes it."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def _device(device: CdiDevice, common: dict[str, Any], hook_path: str) -> dict[str, Any]:
    edits = container_edits(device.edits, hook_path)
    own = {key: [entry for entry in entries if entry not in common.get(key, ())] for key, entries in edits.items()}
    own = {key: entries for key, entries in own.items() if entries}
    annotations = {"annotations": device.annotations} if device.annotations else {}
    # A device without edits is not valid, so one that adds nothing to the common ones repeats them.
    return {"name": device.name, **annotations, "containerEdits": own or edits}


def _node(node: DeviceNode) -> dict[str, Any]:
    """A device node without its type, as the toolkit writes it: engines then check that the node is there."""
    entry: dict[str, Any] = {"path": node.path}
    entry |= {"hostPath": node.host_path} if node.host_path != node.path else {}
    entry |= {"major": node.major} if node.major else {}
    entry |= {"minor": node.minor} if node.minor else {}
    entry |= {"fileMode": node.mode, "permissions": "rwm"}
    return entry | ({"gid": node.gid} if node.gid else {})


def _mount(mount: Mount) -> dict[str, Any]:
    return {"hostPath": mount.host_path, "containerPath": mount.container_path, "options": list(mount.options)}


def _depth_first(path: str) -> tuple[int, str]:
    """The order of paths in a spec: a folder before what is in it, so that one mount never hides another."""
    path = posixpath.normpath(path)
    return path.count("/"), path


def _once(entries: list[Any]) -> list[Any]:
    return list({repr(entry): entry for entry in entries}.values())


def _yaml_lines(value: Any, column: int) -> Iterator[str]:
    """The lines of a mapping or list that begins at a column.

    Go's YAML library, and so the toolkit, puts what is inside at the next multiple of four columns.
    """
    margin = " " * column
    inner = (column + _INDENT) // _INDENT * _INDENT
    for head, item in _yaml_entries(value):
        if not _nests(item):
            yield f"{margin}{head} {_yaml_scalar(item)}"
        elif head == "-":
            first, *rest = _yaml_lines(item, column + 2)
            yield f"{margin}- {first.lstrip()}"
            yield from rest
        else:
            yield f"{margin}{head}"
            yield from _yaml_lines(item, inner)


def _yaml_entries(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        return ((f"{_yaml_scalar(key)}:", item) for key, item in value.items())
    return (("-", item) for item in value)


def _nests(value: Any) -> bool:
    return isinstance(value, dict | list) and bool(value)


def _yaml_scalar(value: Any) -> str:
    """A text plain where every YAML parser takes it for a text, else in double quotes; anything else as in JSON."""
    if not isinstance(value, str):
        return json.dumps(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS_WITH_A_MEANING:
        return value
    return '"' + "".join(_escaped(character) for character in value) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character.isprintable() else f"\\U{ord(character):08x}"
