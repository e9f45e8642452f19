"""The CDI devices of this host: the spec folders read, names resolved to container edits (contract 2.6).

Of two folders the later one wins. A device that two files of one folder define is dropped, as engines drop it, but here
the conflict is kept with both files, since it is the reason why the name cannot be resolved (contract 9.2 #28).
"""

import os
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from linkspan.errors import DeviceNotFound, StaleError
from linkspan.facts.model import Stamp
from linkspan.formats import cdi
from linkspan.formats.cdi import Document
from linkspan.kernel import stamps
from linkspan.store import spec_file
from linkspan.store.spec_file import SpecFile

HOOKS = ("nvidia-cdi-hook", "nvidia-ctk", "linkspan-cdi-hook", "linkspan-hook")
"""Programs that we put in place, and that hooks of specs start."""
SPEC_FOLDERS = ("/etc/cdi", "/var/run/cdi")
"""Where engines look, the most important folder last."""


class Device(msgspec.Struct, frozen=True):
    """A device: its qualified name, the container edits that it adds, and the spec that it stands in."""

    name: str
    edits: Document
    spec: SpecFile


class Resolution(msgspec.Struct, frozen=True):
    """What device names come to: container edits in the order in which they apply, and what that was read from."""

    edits: tuple[Document, ...]
    stamps: tuple[Stamp, ...]


class Registry(msgspec.Struct, frozen=True):
    """All devices by qualified name.

    ``conflicts`` has the files of each device that was dropped, ``broken`` why a file was left out, ``stamps`` every
    folder and file that was read.
    """

    folders: tuple[str, ...]
    devices: dict[str, Device]
    conflicts: dict[str, tuple[str, ...]]
    broken: dict[str, str]
    stamps: tuple[Stamp, ...]

    def warnings(self) -> Iterator[str]:
        """What is wrong in the folders, one sentence each."""
        for name, paths in sorted(self.conflicts.items()):
            yield f"{name} is defined by {' and '.join(paths)}, so engines use neither"
        for _, reason in sorted(self.broken.items()):
            yield f"left out: {reason}"

    def resolve(self, names: Iterable[str]) -> Resolution:
        """The container edits for devices, in their order; a spec's own edits where it is first met.

        Raises DeviceNotFound with the cause for each name that is missing, StaleError where a spec of ours was made for
        something that this host no longer has.
        """
        wanted = list(dict.fromkeys(names))
        if missing := [name for name in wanted if name not in self.devices]:
            raise self._not_found(missing)
        devices = [self.devices[name] for name in wanted]
        specs = list({device.spec.path: device.spec for device in devices}.values())
        for spec in specs:
            _require_fresh(spec)
        origins = tuple(stamp for spec in specs for stamp in (spec.origin.stamps if spec.origin else ()))
        return Resolution(tuple(_edits_in_order(devices)), self.stamps + origins)

    def _not_found(self, names: Sequence[str]) -> DeviceNotFound:
        causes = [cause for name in names if (cause := self._cause(name))]
        causes += [f"left out: {reason}" for _, reason in sorted(self.broken.items())]
        verb = "is" if len(names) == 1 else "are"
        because = f" ({'; '.join(causes)})" if causes else ""
        return DeviceNotFound(
            f"{', '.join(names)} {verb} in no CDI spec below {', '.join(self.folders)}{because}",
            hint="'linkspan cdi list' shows the devices there are, root's 'linkspan cdi refresh' writes a new spec",
            subject=names[0],
        )

    def _cause(self, name: str) -> str:
        if name in self.conflicts:
            return f"{name} is defined by {' and '.join(self.conflicts[name])}, and neither counts"
        return "" if cdi.parse_name(name) else f"{name} is not VENDOR/CLASS=DEVICE"


def load(folders: Sequence[str] = SPEC_FOLDERS) -> Registry:
    """Read all specs in these folders. What cannot be read is in ``broken``, never raised."""
    devices: dict[str, Device] = {}
    conflicts: dict[str, tuple[str, ...]] = {}
    broken: dict[str, str] = {}
    taken: list[Stamp] = []
    for folder in folders:
        taken.append(_stamp(folder))
        found: dict[str, list[Device]] = {}
        for path in _spec_paths(folder, broken):
            taken.append(_stamp(path))
            for device in _devices_of(path, broken):
                found.setdefault(device.name, []).append(device)
        devices |= {name: same[-1] for name, same in found.items()}
        conflicts |= {name: tuple(one.spec.path for one in same) for name, same in found.items() if len(same) > 1}
    usable = {name: device for name, device in sorted(devices.items()) if name not in conflicts}
    return Registry(tuple(folders), usable, conflicts, broken, tuple(taken))


class LostHook(msgspec.Struct, frozen=True):
    """A hook's program that does not exist, and the kind of the devices that need it."""

    program: str
    kind: str


def lost_hooks(registry: Registry) -> dict[str, LostHook]:
    """The specs whose hooks start a program of the toolkit's or ours that does not exist: no device of theirs works.

    Specs of NVIDIA's toolkit name ``/usr/bin/nvidia-cdi-hook``, wherever ours is installed. What other vendors' hooks
    start is not for us to mend.
    """
    lost: dict[str, LostHook] = {}
    for name, device in registry.devices.items():
        common = (device.spec.document or {}).get("containerEdits") or {}
        for entry in (*(common.get("hooks") or ()), *(device.edits.get("hooks") or ())):
            program = entry["path"]
            if os.path.basename(program) in HOOKS and not os.path.exists(program):
                lost.setdefault(device.spec.path, LostHook(program, name.partition("=")[0]))
    return lost


def _spec_paths(folder: str, broken: dict[str, str]) -> list[str]:
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return []
    except OSError as error:
        broken[folder] = f"{folder}: the folder cannot be read: {(error.strerror or 'unknown').lower()}"
        return []
    paths = [os.path.join(folder, name) for name in names if name.endswith((".json", ".yaml"))]
    # A folder or a FIFO is no spec; a dangling link stays, to be reported.
    return [path for path in paths if os.path.isfile(path) or not os.path.exists(path)]


def _devices_of(path: str, broken: dict[str, str]) -> Iterator[Device]:
    spec = spec_file.read(path)
    if spec.document is None:
        broken[path] = spec.first_problem
        return
    for device in spec.document["devices"]:
        yield Device(f"{spec.document['kind']}={device['name']}", device["containerEdits"], spec)


def _edits_in_order(devices: Iterable[Device]) -> Iterator[Document]:
    met: set[str] = set()
    for device in devices:
        common = (device.spec.document or {}).get("containerEdits")
        if common and device.spec.path not in met:
            yield common
        met.add(device.spec.path)
        yield device.edits


def _require_fresh(spec: SpecFile) -> None:
    stale = stamps.stale((stamp.kind, stamp.path, stamp.value) for stamp in spec.origin.stamps) if spec.origin else None
    if stale:
        raise StaleError(
            f"the CDI spec {spec.path} was made before {stale[1]} changed",
            hint="as root, write it anew with 'linkspan cdi refresh'",
            subject=spec.path,
        )


def _stamp(path: str) -> Stamp:
    value = stamps.take("file", path)
    return Stamp(kind="file", path=path, value=value) if value else Stamp(kind="absent", path=path)
