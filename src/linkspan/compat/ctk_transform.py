"""``nvidia-ctk cdi transform root``: the paths of a CDI spec below another root (contract 5.8)."""

from collections.abc import Callable
from typing import Any, BinaryIO, NamedTuple

from linkspan.errors import SpecError
from linkspan.formats import cdi
from linkspan.formats.cdi import Document
from linkspan.store import spec_file

Rename = Callable[[str], str]

_IN_CONTAINER = "startContainer"
_FOR_CONTAINER = ("createContainer", "startContainer")
"""Hooks whose arguments speak of the container; of these only ``startContainer`` hooks are programs of it."""


class Move(NamedTuple):
    """Paths below ``old`` stand below ``new`` from now on; ``relative_to`` says whose paths: host or container."""

    old: str
    new: str
    relative_to: str

    def path(self, path: str) -> str:
        """The path after the move; one that only begins alike is another path, and stays."""
        old, new = self.old.rstrip("/"), self.new.rstrip("/")
        if path in (self.old, old):
            return new or "/"
        return new + path.removeprefix(old) if path.startswith(f"{old}/") else path

    def argument(self, argument: str) -> str:
        """An argument of a hook: a path, or two with ``::`` between them."""
        return "::".join(self.path(part) for part in argument.split("::"))


def read(path: str, stdin: BinaryIO) -> Document:
    """The spec in a file, or on standard input (``-``). Raises SpecError with the first problem and its line."""
    if path in ("", "-"):
        spec = spec_file.check("standard input", stdin.read(spec_file.SIZE_LIMIT + 1))
    else:
        spec = spec_file.read(path)
    if spec.document is None:
        raise SpecError(spec.first_problem, subject=spec.path)
    return spec.document


def transform(spec: Document, move: Move) -> Document:
    """The spec with its paths moved, in the version that it has, or the lowest that the result needs (9.2 #24)."""
    if move.old == move.new:
        return spec
    edits = _host_edits if move.relative_to == "host" else _container_edits
    moved = _with_edits(spec, edits, move)
    moved["devices"] = [_with_edits(device, edits, move) for device in spec["devices"]]
    lowest, own = cdi.lowest_version(moved), spec["cdiVersion"]
    return {**moved, "cdiVersion": max(own, lowest, key=cdi.VERSIONS.index)}


def _with_edits(owner: Document, edits: Callable[[Document, Move], Document], move: Move) -> Document:
    if not owner.get("containerEdits"):
        return dict(owner)
    return {**owner, "containerEdits": edits(owner["containerEdits"], move)}


def _host_edits(edits: Document, move: Move) -> Document:
    """The host's side: where nodes, files and the programs of hooks are."""
    return _each(
        edits,
        deviceNodes=lambda node: {**node, "hostPath": move.path(node.get("hostPath") or node["path"])},
        mounts=lambda mount: {**mount, "hostPath": move.path(mount["hostPath"])},
        hooks=lambda hook: _hook(
            hook, move, program=hook["hookName"] != _IN_CONTAINER, arguments=hook["hookName"] not in _FOR_CONTAINER
        ),
    )


def _container_edits(edits: Document, move: Move) -> Document:
    """The container's side: where it finds what is given to it."""
    return _each(
        edits,
        deviceNodes=lambda node: {**node, "path": move.path(node["path"])},
        mounts=lambda mount: {**mount, "containerPath": move.path(mount["containerPath"])},
        hooks=lambda hook: _hook(
            hook, move, program=hook["hookName"] == _IN_CONTAINER, arguments=hook["hookName"] in _FOR_CONTAINER
        ),
    )


def _hook(hook: Document, move: Move, *, program: bool, arguments: bool) -> Document:
    path = move.path(hook["path"]) if program else hook["path"]
    moved = {**hook, "path": path}
    if arguments and "args" in hook:
        moved["args"] = [move.argument(argument) for argument in hook["args"]]
    return moved


def _each(edits: Document, **changes: Callable[[Document], Document]) -> Document:
    changed: dict[str, Any] = {
        key: [change(item) for item in edits[key]] for key, change in changes.items() if edits.get(key)
    }
    return {**edits, **changed}
