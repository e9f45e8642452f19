"""The CDI specs of a host, as its engines read them."""

from linkspan.check.eyes import Eyes
from linkspan.formats import cdi
from linkspan.formats.cdi import Document
from linkspan.formats.cdi_rules import Problem
from linkspan.store import spec_file
from linkspan.store.registry import SPEC_FOLDERS
from linkspan.store.spec_file import SIZE_LIMIT, SpecFile

KIND = "nvidia.com/gpu"


class Specs:
    """All spec files in the folders of this host, and the devices that they define."""

    def __init__(self, eyes: Eyes, folders: tuple[str, ...] = SPEC_FOLDERS) -> None:
        self.eyes = eyes
        self.folders = folders
        self.files = tuple(_file(eyes, path) for folder in folders for path in _paths(eyes, folder))
        self.devices: dict[str, list[tuple[SpecFile, Document]]] = {}
        for file in self.files:
            for device in cdi.devices(file.document or {}):
                self.devices.setdefault(f"{(file.document or {}).get('kind')}={device.get('name')}", []).append(
                    (file, device)
                )

    def of_kind(self, kind: str = KIND) -> list[SpecFile]:
        """The files that can be read and are of this kind."""
        return [file for file in self.files if file.document and file.document.get("kind") == kind]

    @property
    def unreadable(self) -> list[SpecFile]:
        """The files that no engine can use."""
        return [file for file in self.files if file.document is None]


def _paths(eyes: Eyes, folder: str) -> list[str]:
    return [f"{folder}/{name}" for name in eyes.names(folder) if name.endswith((".json", ".yaml"))]


def _file(eyes: Eyes, path: str) -> SpecFile:
    data = eyes.read(path, 0, SIZE_LIMIT + 1)
    if data is None:
        return SpecFile(path, None, [Problem((), "cannot be read")])
    return spec_file.check(path, data)


def edits(file: SpecFile) -> list[Document]:
    """The container edits of a file: its own, and those of its devices."""
    return list(cdi.container_edits(file.document or {}))
