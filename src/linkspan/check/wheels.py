"""Versions of libraries that came in Python packages: their files carry none, but the folders of the packages do."""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from linkspan.check.pieces import Piece

_SITES = ("/site-packages/", "/dist-packages/")


class Packages:
    """The packages of every folder of packages: ``torch-2.4.1+cu121.dist-info`` stands beside ``torch``."""

    def __init__(self) -> None:
        self._versions: dict[str, dict[str, str]] = {}

    def add(self, path: str) -> None:
        """Note the ``.dist-info`` folder at a path."""
        site, _, folder = path.rpartition("/")
        name, _, version = folder.removesuffix(".dist-info").partition("-")
        self._versions.setdefault(site, {})[_plain(name)] = version

    def version(self, path: str) -> str:
        """The version of the package that the file at a path belongs to, empty where that is not known."""
        found = max((path.rfind(site), site) for site in _SITES)
        if found[0] < 0:
            return ""
        place, site = found
        folders = path[place + len(site) :].split("/")
        name = _plain(f"nvidia_{folders[1]}" if folders[0] == "nvidia" and len(folders) > 2 else folders[0])
        known = self._versions.get(path[:place] + site.rstrip("/"), {})
        # What is "nvidia/cudnn" on disk is "nvidia-cudnn-cu12" by name, and "onnxruntime" is "onnxruntime-gpu".
        return known.get(name) or next((version for one, version in known.items() if one.startswith(f"{name}_")), "")


def _plain(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")


def versioned(pieces: Iterable[Piece], packages: Packages) -> Iterator[Piece]:
    """The pieces, those that carry no version of more than one number with that of their package."""
    for piece in pieces:
        version = "" if "." in piece.version else packages.version(piece.path)
        yield replace(piece, version=version) if version else piece
