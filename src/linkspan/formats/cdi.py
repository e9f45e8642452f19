"""CDI's names and versions (contract Appendix A; CDI library 1.1.0).

A device is named ``vendor/class=device``; vendor and class together are the kind of a spec. What a spec may contain is
in ``cdi_rules``, how one is read with its line numbers in ``cdi_reader``.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

Document = dict[str, Any]
"""A CDI spec as plain data, as YAML or JSON give it."""

VERSIONS = ("0.1.0", "0.2.0", "0.3.0", "0.4.0", "0.5.0", "0.6.0", "0.7.0", "0.8.0", "1.0.0", "1.1.0")
"""Every released version, oldest first."""

EARLIEST = "0.3.0"
"""The version of a spec that needs nothing newer; no engine asks for an older one."""

_VENDOR_OR_CLASS = re.compile(r"[A-Za-z](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?")
_DEVICE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.:-]*[A-Za-z0-9])?")


class QualifiedName(NamedTuple):
    """A device's full name in its three parts."""

    vendor: str
    device_class: str
    device: str

    @property
    def kind(self) -> str:
        """The kind of the spec that defines it: ``vendor/class``."""
        return f"{self.vendor}/{self.device_class}"

    def __str__(self) -> str:
        return f"{self.kind}={self.device}"


def parse_name(text: str) -> QualifiedName | None:
    """The parts of a qualified device name; None where the text is not one."""
    kind, _, device = text.partition("=")
    vendor, _, device_class = kind.partition("/")
    if kind_problem(kind) or device_problem(device):
        return None
    return QualifiedName(vendor, device_class, device)


def kind_problem(kind: str) -> str:
    """What is wrong with the kind of a spec, to be read after its name; empty where nothing is."""
    vendor, slash, device_class = kind.partition("/")
    if not slash:
        return f"is {kind!r}, not VENDOR/CLASS"
    for role, part in (("vendor", vendor), ("class", device_class)):
        if not _VENDOR_OR_CLASS.fullmatch(part):
            return (
                f"has the {role} {part!r}: it must begin with a letter, end with a letter or digit, and hold only "
                "letters, digits, '_', '-' and '.'"
            )
    return ""


def device_problem(name: str) -> str:
    """What is wrong with the name of a device, to be read after its address; empty where nothing is."""
    if _DEVICE.fullmatch(name):
        return ""
    return (
        f"is {name!r}: it must begin and end with a letter or digit, and hold only letters, digits, '_', '-', '.' "
        "and ':'"
    )


def lowest_version(document: Document) -> str:
    """The lowest ``cdiVersion`` that allows everything in a spec: more engines can read it than any higher one."""
    return needed_version(document)[0]


def needed_version(document: Document) -> tuple[str, str]:
    """The lowest sufficient version, and what in the spec asks for it (empty where nothing does)."""
    return next(((version, what) for version, what, uses in _NEEDS if uses(document)), (EARLIEST, ""))


def devices(document: Document) -> Iterator[Document]:
    """The devices of a spec, as far as they are well formed."""
    return _records(document.get("devices"))


def container_edits(document: Document) -> Iterator[Document]:
    """All container edits of a spec, its own first, as far as they are well formed."""
    yield from _records([document.get("containerEdits")])
    yield from _records([device.get("containerEdits") for device in devices(document)])


def _records(value: object) -> Iterator[Document]:
    return (item for item in value if isinstance(item, dict)) if isinstance(value, list) else iter(())


def _some_edits(*keys: str) -> Callable[[Document], bool]:
    return lambda document: any(edits.get(key) for edits in container_edits(document) for key in keys)


def _some_entry(entries: str, key: str) -> Callable[[Document], bool]:
    return lambda document: any(
        entry.get(key) for edits in container_edits(document) for entry in _records(edits.get(entries))
    )


def _rdt(*keys: str) -> Callable[[Document], bool]:
    return lambda document: any(
        rdt.get(key) for edits in container_edits(document) for rdt in _records([edits.get("intelRdt")]) for key in keys
    )


def _has_rdt(document: Document) -> bool:
    return any(edits.get("intelRdt") is not None for edits in container_edits(document))


def _annotated(document: Document) -> bool:
    return any(owner.get("annotations") for owner in (document, *devices(document)))


def _dotted_class(document: Document) -> bool:
    return "." in str(document.get("kind", "")).partition("/")[2]


def _digit_first(document: Document) -> bool:
    return any(str(device.get("name", ""))[:1].isdigit() for device in devices(document))


_NEEDS: tuple[tuple[str, str, Callable[[Document], bool]], ...] = (
    ("1.1.0", "netDevices", _some_edits("netDevices")),
    ("1.1.0", "schemata or enableMonitoring of intelRdt", _rdt("schemata", "enableMonitoring")),
    ("0.7.0", "intelRdt", _has_rdt),
    ("0.7.0", "additionalGids", _some_edits("additionalGids")),
    ("0.6.0", "an annotation", _annotated),
    ("0.6.0", "a '.' in the class", _dotted_class),
    ("0.5.0", "hostPath of a device node", _some_entry("deviceNodes", "hostPath")),
    ("0.5.0", "a device name that begins with a digit", _digit_first),
    ("0.4.0", "type of a mount", _some_entry("mounts", "type")),
)
"""(version, what needs it, whether a spec has that), newest first."""
