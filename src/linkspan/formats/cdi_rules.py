"""What a CDI spec may contain: all its problems at once, each with its address (contract Appendix A).

The tables at the end are the rules; what stands before them are the few kinds of rule there are. Unknown fields are
problems, since the CDI library rejects a whole file for one (that is how a typing mistake makes devices vanish).
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from linkspan.formats import cdi

Address = tuple[str | int, ...]
"""Where something stands in a document: field names and list positions from the top."""


class Problem(NamedTuple):
    """A rule that is broken: where, why, and in which line of the text (0 where there is no text)."""

    where: Address
    reason: str
    line: int = 0

    @property
    def address(self) -> str:
        """``where`` as people write it: ``devices[3].containerEdits.mounts[0].hostPath``."""
        return "".join(_step(part) for part in self.where).removeprefix(".")


Found = Iterator[Problem]
Check = Callable[[Any, Address], Found]
Rule = Callable[[str], str]
"""Gets a text and says what is wrong with it; empty where nothing is."""

_PLAIN_FIELD = re.compile(r"[A-Za-z_]\w*")
_ANNOTATION_LIMIT = 256 * 1024
_ANNOTATION_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_.-]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")


def problems(document: object) -> list[Problem]:
    """Everything that is wrong with a spec, in the order of its fields; empty for a valid one."""
    return list(_SPEC(document, ()))


def _step(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if _PLAIN_FIELD.fullmatch(part) else f"[{part!r}]"


def _text(*rules: Rule) -> Check:
    def check(value: Any, where: Address) -> Found:
        if not isinstance(value, str):
            yield Problem(where, f"is {_kind_of(value)}, not a text")
        elif not _encodable(value):
            yield Problem(where, "is not valid Unicode")
        else:
            yield from (Problem(where, reason) for rule in rules if (reason := rule(value)))

    return check


def _encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _number(low: int, high: int) -> Check:
    def check(value: Any, where: Address) -> Found:
        if not isinstance(value, int) or isinstance(value, bool):
            yield Problem(where, f"is {_kind_of(value)}, not a whole number")
        elif not low <= value <= high:
            yield Problem(where, f"is {value}, not between {low} and {high}")

    return check


def _flag(value: Any, where: Address) -> Found:
    if not isinstance(value, bool):
        yield Problem(where, f"is {_kind_of(value)}, not true or false")


def _each(check: Check, whole: Check | None = None) -> Check:
    def check_list(value: Any, where: Address) -> Found:
        if not isinstance(value, list):
            yield Problem(where, f"is {_kind_of(value)}, not a list")
            return
        for index, item in enumerate(value):
            yield from check(item, (*where, index))
        if whole:
            yield from whole(value, where)

    return check_list


def _record(fields: dict[str, Check], required: tuple[str, ...] = (), whole: Check | None = None) -> Check:
    """A mapping of known fields. A null counts as absent, as in the CDI library."""

    def check(value: Any, where: Address) -> Found:
        if not isinstance(value, dict):
            yield Problem(where, f"is {_kind_of(value)}, not a mapping")
            return
        for name in required:
            if value.get(name) is None:
                yield Problem((*where, name), "is missing")
        for name, item in value.items():
            if name not in fields:
                yield Problem((*where, name), f"is not a field that CDI knows here: {', '.join(fields)}")
            elif item is not None:
                yield from fields[name](item, (*where, name))
        if whole:
            yield from whole(value, where)

    return check


def _kind_of(value: object) -> str:
    names = {dict: "a mapping", list: "a list", str: "a text", bool: "true or false", int: "a number"}
    return "nothing" if value is None else names.get(type(value), "a number")


def _filled(text: str) -> str:
    return "" if text else "is empty"


def _one_of(*allowed: str) -> Rule:
    return lambda text: "" if text in allowed else f"is {text!r}, not one of {', '.join(filter(None, allowed))}"


def _assignment(text: str) -> str:
    return "" if text.find("=") > 0 else f"is {text!r}, not NAME=VALUE"


def _permissions(text: str) -> str:
    return "" if set(text) <= set("rwm") else f"is {text!r}, but may hold only r, w and m"


def _closid(text: str) -> str:
    usable = text == "/" or (len(text) < 4096 and text not in (".", "..") and not set(text) & set("/\n"))
    return "" if usable else f"{text[:40]!r} cannot be a folder name below resctrl"


def _known_version(text: str) -> str:
    return "" if text.removeprefix("v") in cdi.VERSIONS else f"is {text!r}, not one of {', '.join(cdi.VERSIONS)}"


def _annotations(value: Any, where: Address) -> Found:
    if not isinstance(value, dict):
        yield Problem(where, f"is {_kind_of(value)}, not a mapping")
        return
    for key, item in value.items():
        if not _annotation_key(str(key).lower()):
            yield Problem((*where, key), "is not a key such as NAME or example.com/NAME")
        yield from _text()(item, (*where, key))
    size = sum(len(str(key).encode("utf-8", "replace")) + len(str(item).encode("utf-8", "replace"))
               for key, item in value.items())  # fmt: skip
    if size > _ANNOTATION_LIMIT:
        yield Problem(where, f"holds {size} bytes, more than {_ANNOTATION_LIMIT}")


def _annotation_key(key: str) -> bool:
    prefix, slash, name = key.rpartition("/")
    prefix_fits = not slash or (len(prefix) <= 253 and bool(_SUBDOMAIN.fullmatch(prefix)))
    return prefix_fits and len(name) <= 63 and bool(_ANNOTATION_NAME.fullmatch(name))


def _not_empty(device: Any, where: Address) -> Found:
    edits = device.get("containerEdits")
    fields = edits.items() if isinstance(edits, dict) else ()
    if not any(value or (key == "intelRdt" and value is not None) for key, value in fields):
        yield Problem((*where, "containerEdits"), "is empty: the device would add nothing to a container")


def _some_devices_named_once(value: Any, where: Address) -> Found:
    if not value:
        yield Problem(where, "holds no device")
    yield from _named_once(value, where, "name")


def _interfaces_named_once(value: Any, where: Address) -> Found:
    yield from _named_once(value, where, "hostInterfaceName")
    yield from _named_once(value, where, "name")


def _named_once(value: Any, where: Address, field: str) -> Found:
    first: dict[str, int] = {}
    for index, item in enumerate(value):
        name = item.get(field) if isinstance(item, dict) else None
        if isinstance(name, str) and first.setdefault(name, index) != index:
            list_address = Problem((*where, first[name]), "").address
            yield Problem((*where, index, field), f"is {name!r}, as in {list_address}")


def _new_enough(document: Any, where: Address) -> Found:
    stated = str(document.get("cdiVersion")).removeprefix("v")
    needed, what = cdi.needed_version(document)
    if stated in cdi.VERSIONS and cdi.VERSIONS.index(stated) < cdi.VERSIONS.index(needed) and what:
        yield Problem((*where, "cdiVersion"), f"is {stated}, but {what} needs at least {needed}")


_UINT32 = _number(0, 2**32 - 1)
_INT64 = _number(0, 2**63 - 1)
_FILLED = _text(_filled)
_TEXT = _text()
_TEXTS = _each(_TEXT)
_ENV = _each(_text(_assignment))

_DEVICE_NODE = _record(
    {
        "path": _FILLED,
        "hostPath": _TEXT,
        "type": _text(_one_of("", "b", "c", "u", "p")),
        "major": _INT64,
        "minor": _INT64,
        "fileMode": _UINT32,
        "permissions": _text(_permissions),
        "uid": _UINT32,
        "gid": _UINT32,
    },
    required=("path",),
)
_NET_DEVICE = _record({"hostInterfaceName": _FILLED, "name": _FILLED}, required=("hostInterfaceName", "name"))
_HOOK = _record(
    {
        "hookName": _text(
            _one_of("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")
        ),
        "path": _FILLED,
        "args": _TEXTS,
        "env": _ENV,
        "timeout": _number(-(2**63), 2**63 - 1),
    },
    required=("hookName", "path"),
)
_MOUNT = _record(
    {"hostPath": _FILLED, "containerPath": _FILLED, "options": _TEXTS, "type": _TEXT},
    required=("hostPath", "containerPath"),
)
_RDT = _record(
    {
        "closID": _text(_closid),
        "l3CacheSchema": _TEXT,
        "memBwSchema": _TEXT,
        "schemata": _TEXTS,
        "enableMonitoring": _flag,
        # Versions 0.7.0 to 1.0.0 had these two in place of enableMonitoring.
        "enableCMT": _flag,
        "enableMBM": _flag,
    }
)
_EDITS = _record(
    {
        "env": _ENV,
        "deviceNodes": _each(_DEVICE_NODE),
        "netDevices": _each(_NET_DEVICE, whole=_interfaces_named_once),
        "hooks": _each(_HOOK),
        "mounts": _each(_MOUNT),
        "intelRdt": _RDT,
        "additionalGids": _each(_UINT32),
    }
)
_DEVICE = _record(
    {"name": _text(cdi.device_problem), "annotations": _annotations, "containerEdits": _EDITS},
    required=("name",),
    whole=_not_empty,
)
_SPEC = _record(
    {
        "cdiVersion": _text(_known_version),
        "kind": _text(cdi.kind_problem),
        "annotations": _annotations,
        "devices": _each(_DEVICE, whole=_some_devices_named_once),
        "containerEdits": _EDITS,
    },
    required=("cdiVersion", "kind", "devices"),
    whole=_new_enough,
)
