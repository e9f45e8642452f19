"""Leaves the native launcher what was done just now, so that the next such start needs no Python (``formats.record``).

Edits are kept by what is asked for, a prepared root by what it looked like. Nothing of it has to succeed: where it
cannot be kept, the next start comes here again.
"""

import posix as os

from linkspan._version import __version__
from linkspan.errors import LinkspanError
from linkspan.formats import fastjson, pathnames, record, state
from linkspan.kernel import carry, files, notes, paths, prepare, scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from linkspan.kernel.carry import Freight
    from linkspan.runtime.lookup import Found

    Document = dict[str, Any]

READY_KEPT = 512
IMAGES_KEPT = 128
"""Files of each kind; what is kept is decided by requests and images, which are strangers'."""
SIZE_LIMIT = 512 << 10
"""Bytes of a file; the edits for 64 GPUs take 60 KB, a prepared root twice its loader cache."""

CACHE = "/etc/ld.so.cache"

_NATIVE = {
    *("env", "devices", "rules", "mounts", "gids", "remove_hooks"),
    *("prepare", "mask_params", "hook", "hook_arguments", "says", "proc_gpus"),
}
"""The members of edits (``emit.oci``) that the launcher can apply."""


def prepare_root(folder: str, root_fd: int, work: "Document", owner: "tuple[int, int]", name: str) -> None:
    """``prepare.prepare``, and keep how under this name of the work. Raises what that raises."""
    cache = paths.look(root_fd, CACHE)
    taken = notes.begin()
    try:
        prepare.prepare(root_fd, work, owner)
    finally:
        notes.end()
    if taken.complete and owner == (os.geteuid(), os.getegid()):
        file = record.image_name(name, (cache.st_size, cache.st_mtime_ns) if cache else None)
        _keep(f"{folder}/{record.IMAGES}", IMAGES_KEPT, file, [name, *taken.fields()])


def wrapper_work(work: "Document") -> str:
    """The name of the work that ready-made edits have."""
    return f"wrapper\n{fastjson.dumps(work)}"


def carry_work(work: "Document") -> str:
    """The name of the work that the prestart hook has."""
    return f"carry\n{fastjson.dumps(work)}"


def hook_work(arguments: "list[str]") -> str:
    """The name of the work that a hook's arguments (after the verb) stand for; ``runtime/native/hook.c`` has it too."""
    return "\n".join(["hook", *(argument for argument in arguments if argument != "--mask-params")])


def keep_edits(folder: str, found: "Found", hook: str, written: "list[str]") -> None:
    """Keep ready-made edits, with their stamps, for the request that they were found for.

    ``hook`` is our hook's program, ``written`` are the folders that a mount must not cover.
    """
    edits, switches = found.edits, found.switches
    key = record.request_text((switches["config"], state.config_stamp(switches)), found.view)
    if key is None or edits.keys() - _NATIVE or not _is_simple(edits, written):
        return
    _keep(f"{folder}/{record.READY}", READY_KEPT, key, [key, *_ready(edits, found.stamps, hook, written)])


def keep_carry(folder: str, found: "Found", freight: "Sequence[Freight]") -> None:
    """Keep what the prestart hook carries into a container with the request that it was found for.

    Annotations are none of that hook's business, and no part of the key. ``freight`` are the mounts among the edits,
    taken hold of.
    """
    edits, switches = found.edits, found.switches
    view = {**found.view, "annotations": {}}
    key = record.request_text(("hook", switches["config"], state.config_stamp(switches)), view)
    if key is None or edits.keys() - _NATIVE:
        return
    nodes = edits.get("devices", ())
    rules = [_rule(rule, scope.name_of(rule, nodes)) for rule in edits.get("rules", ())]
    mounts = [(one.source, one.destination, one.flags, int(one.recursive), int(one.is_folder)) for one in freight]
    work = edits.get("prepare")
    fields = [
        *record.rows(found.stamps),
        *record.rows(rules),
        carry_work(work) if work else "",
        int(edits.get("mask_params", False)),
        int("proc_gpus" in edits),
        *record.rows([[name] for name in edits.get("proc_gpus", ())]),
        *record.rows(mounts),
        *record.rows([_node(entry) for entry in nodes]),
    ]
    _keep(f"{folder}/{record.CARRY}", READY_KEPT, key, [key, *fields])


def _rule(rule: "Document", node: str) -> "tuple[Any, ...]":
    return rule["type"], rule["major"], rule["minor"], _access(rule["access"]), node


def _access(letters: str) -> int:
    """BPF_DEVCG_ACC_* of linux/bpf.h."""
    return sum(bit for letter, bit in (("m", 1), ("r", 2), ("w", 4)) if letter in letters)


def _node(entry: "Document") -> "tuple[Any, ...]":
    mode = carry.node_mode(entry)
    return entry["path"], mode, entry.get("major", 0), entry.get("minor", 0), entry.get("uid", 0), entry.get("gid", 0)


def _is_simple(edits: "Document", written: "list[str]") -> bool:
    """Whether the launcher can compare and sort our own mounts by their text, and none covers what is written."""
    places = [entry["destination"] for entry in edits.get("mounts", ())]
    return all(pathnames.normal(place) == place and not pathnames.covers(place, written) for place in places)


def _ready(edits: "Document", stamps: "list[list[str]]", hook: str, written: "list[str]") -> "list[Any]":
    """The fields after the key, as ``runtime/native/splice.c`` and ``wrapper.c`` read them."""
    devices = [
        (entry["path"], int("uid" in entry or "gid" in entry), fastjson.dumps(entry))
        for entry in edits.get("devices", ())
    ]
    mounts = [(entry["destination"], fastjson.dumps(entry)) for entry in edits.get("mounts", ())]
    work = edits.get("prepare")
    return [
        *record.rows(stamps),
        *record.rows([[name] for name in edits.get("remove_hooks", ())]),
        _elements(edits.get("env", ())),
        *record.rows(devices),
        _elements(edits.get("rules", ())),
        *record.rows(mounts),
        *record.rows([[path] for path in written]),
        _elements(gid for gid in edits.get("gids", ()) if gid),
        wrapper_work(work) if work else "",
        hook if edits.get("mask_params") else "",
        _mask(edits, hook) if edits.get("mask_params") else "",
    ]


def _elements(values: "Any") -> str:
    return ",".join(fastjson.dumps(value) for value in values)


def _mask(edits: "Document", hook: str) -> str:
    entry = edits["hook"]
    return fastjson.dumps({**entry, "path": hook, "args": [*entry["args"], "--mask-params"]})


def _keep(folder: str, limit: int, name: bytes, fields: "list[Any]") -> None:
    try:
        data = record.render([__version__, *fields])
        if len(data) <= SIZE_LIMIT:
            _make_room(folder, limit)
            # For us alone: the key has every variable of ours, and some images keep a secret in one.
            files.write_whole(f"{folder}/{record.file_name(name)}", data, 0o600, durable=False)
    except (LinkspanError, OSError, UnicodeEncodeError):
        return


def _make_room(folder: str, limit: int) -> None:
    try:
        files.make_room(folder, limit)
    except FileNotFoundError:
        files.make_folder(pathnames.folder(folder), 0o755)
        files.make_folder(folder, 0o700)
