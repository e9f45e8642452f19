"""Ready-made edits applied to a container's config.json, as plain documents.

What the edits mean was decided when they were made (``emit.oci`` names their members); here they are only put in
place. Members of config.json that no edit names are not touched, whatever they are. Where a member that an edit names
is not of the type that the OCI specification gives it, that is a TypeError or AttributeError, and no container.
"""

from linkspan.formats.oci import NVIDIA_HOOKS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Document = dict[str, Any]


def apply(spec: "Document", edits: "Document") -> bool:
    """Apply the edits to the specification in place; True where anything changed."""
    changed = remove_hooks(spec, edits.get("remove_hooks", ()))
    for stage, entries in edits.get("ensure_hooks", {}).items():
        changed = _ensure_hooks(_list(_member(spec, "hooks"), stage), entries) or changed
    if not edits.keys() - {"remove_hooks", "ensure_hooks"}:
        return changed
    process = _member(spec, "process")
    _list(process, "env").extend(edits.get("env", ()))
    _add_devices(spec, process, edits)
    _add_mounts(spec, edits.get("mounts", ()))
    _add_groups(process, edits.get("gids", ()))
    for stage, entries in edits.get("hooks", {}).items():
        _list(_member(spec, "hooks"), stage).extend(entries)
    for name, value in edits.get("other", {}).items():
        _merge_other(_member(spec, "linux"), name, value)
    return True


def add_hook(spec: "Document", entry: "Document") -> None:
    """Append a hook that runs in the container's mount namespace before its root becomes the root."""
    _list(_member(spec, "hooks"), "createContainer").append(entry)


def remove_hooks(spec: "Document", names: "tuple[str, ...]") -> bool:
    """Drop every hook entry whose program has one of these base names, at every stage; True where one was dropped."""
    hooks = spec.get("hooks") or {}
    dropped = False
    for stage, entries in hooks.items():
        kept = [entry for entry in entries or () if _program(entry) not in names]
        if entries and len(kept) != len(entries):
            hooks[stage] = kept
            dropped = True
    return dropped


def _ensure_hooks(present: "list[Document]", entries: "list[Document]") -> bool:
    if any(_program(entry) in NVIDIA_HOOKS for entry in present):
        return False
    present.extend(entries)
    return True


def _program(entry: "Document") -> str:
    return str(entry.get("path", "")).rpartition("/")[2]


def _add_devices(spec: "Document", process: "Document", edits: "Document") -> None:
    entries = edits.get("devices", ())
    if not entries:
        return
    linux = _member(spec, "linux")
    paths = {entry["path"] for entry in entries}
    kept = [entry for entry in linux.get("devices") or () if entry.get("path") not in paths]
    owners = _owners(process)
    linux["devices"] = kept + [{**owners, **entry} for entry in entries]
    _list(_member(linux, "resources"), "devices").extend(edits.get("rules", ()))


def _owners(process: "Document") -> "Document":
    """An unprivileged process owns the nodes that it is given, where the edits name no owner (contract 2.7)."""
    user = process.get("user") or {}
    return {key: user[key] for key in ("uid", "gid") if user.get(key, 0) > 0}


def _add_mounts(spec: "Document", entries: "list[Document]") -> None:
    if not entries:
        return
    destinations = {entry["destination"] for entry in entries}
    mounts = [entry for entry in spec.get("mounts") or () if entry.get("destination") not in destinations]
    # A folder is mounted before what lies below it, whoever asked for either; equals keep their order.
    spec["mounts"] = sorted(mounts + entries, key=_depth)


def _depth(mount: "Document") -> int:
    return len([part for part in mount.get("destination", "").split("/") if part])


def _add_groups(process: "Document", gids: "list[int]") -> None:
    if gids:
        groups = _list(_member(process, "user"), "additionalGids")
        groups.extend(gid for gid in gids if gid and gid not in groups)


def _merge_other(linux: "Document", name: str, value: "Document") -> None:
    present = linux.get(name)
    linux[name] = {**present, **value} if isinstance(present, dict) else value


def _member(document: "Document", name: str) -> "Document":
    """The object at a name, made where it is absent or null."""
    found = document.get(name)
    if found is None:
        found = document[name] = {}
    return found


def _list(document: "Document", name: str) -> "list[Any]":
    """The array at a name, made where it is absent or null."""
    found = document.get(name)
    if found is None:
        found = document[name] = []
    return found
