"""Scopes, as which systemd keeps the cgroups of containers: their names, and a drop-in that allows devices.

See systemd.unit(5) and systemd.resource-control(5).
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

FOLDER = "/run/systemd/transient"
"""Units that a program had systemd make, and their drop-ins: one of the places that a reload reads them from."""
DROP_IN = "50-linkspan.conf"
"""Read after the ``50-DeviceAllow.conf`` by which systemd keeps a runtime's changes; that begins with an empty list."""
POLICY = "50-DevicePolicy.conf"
HEAD = "# The devices of a container's GPUs, which its engine does not know of; by linkspan.\n[Scope]\n"

_SUFFIX = ".scope"
_ID_LENGTH = 64
_ID = frozenset("0123456789abcdef")
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:")
_CONFINING = (b"strict", b"closed")


def unit_of(cgroup: str) -> str:
    """The scope whose cgroup this folder is; empty where it is none of a container that has a random id.

    A drop-in may outlive its unit for a while. Under a name that somebody chose it would allow the devices to the next
    container of that name; the ids of engines are those of one container for ever.
    """
    above, _, unit = cgroup.rpartition("/")
    engine, _, ident = unit.removesuffix(_SUFFIX).rpartition("-")
    is_id = len(ident) == _ID_LENGTH and _ID.issuperset(ident)
    is_scope = unit.endswith(_SUFFIX) and above.endswith(".slice")
    return unit if is_scope and is_id and engine and _PLAIN.issuperset(engine) else ""


def confines_devices(files: "Iterable[bytes]") -> bool:
    """Whether these files of a unit, in the order that systemd reads them in, let only some devices through.

    Where they do not, as for a privileged container, the first device that is allowed would close all others.
    """
    lines = [line.strip() for text in files for line in text.splitlines()]
    policies = [line.removeprefix(b"DevicePolicy=") for line in lines if line.startswith(b"DevicePolicy=")]
    return policies[-1:] != [] and policies[-1] in _CONFINING


def by_number(type_: str, major: int, minor: int) -> str:
    """A device as runc names it for systemd, which from version 240 on takes the numbers from this path."""
    return f"/dev/{'block' if type_ == 'b' else 'char'}/{major}:{minor}"


def drop_in(devices: "Iterable[tuple[str, str]]") -> str:
    """The drop-in that allows these devices: their paths, and the letters of the access."""
    return HEAD + "".join(f"DeviceAllow={path} {access}\n" for path, access in devices)


def is_plain(path: str) -> bool:
    """Whether a unit's file can have this path as it is, without quotes and escapes."""
    return _PLAIN.issuperset(path.replace("/", ""))
