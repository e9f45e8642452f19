"""Driver files at the host's place, in a container with a program whose own loader looks elsewhere."""

import posixpath
from collections.abc import Iterator

from linkspan.check.containers import Container
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene

_BUNDLED = "/usr/lib/plexmediaserver/lib"
"""Where Plex has a loader of its own, which reads no ld.so.cache (plexinc/pms-docker#172)."""
_LOADERS = ("ld-musl-x86_64.so.1", "ld-musl-aarch64.so.1")
_TRIPLES = ("x86_64-linux-gnu", "aarch64-linux-gnu")
_USUAL = (
    *("/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib", _BUNDLED),
    *(f"{top}/{triple}" for top in ("/lib", "/usr/lib") for triple in _TRIPLES),
)


def _look(scene: Scene) -> Iterator[Found]:
    for container in scene.containers:
        libcuda = next((mount.path for mount in container.mounts if "/libcuda.so." in mount.path), "")
        places = (f"{_BUNDLED}/{name}" for name in _LOADERS)
        loader = next((path for path in places if libcuda and container.root.exists(path)), "")
        folder = posixpath.dirname(libcuda)
        if loader and not _finds(container, folder):
            yield Found(
                cause=f"the driver's libraries are in {folder}, which Plex's own loader does not look into",
                evidence=(
                    Evidence(subject=f"{container.name}: {libcuda}", field="mounted", value="from the host"),
                    Evidence(subject=f"{container.name}: {loader}", field="second loader", value="musl"),
                ),
                remedy=Remedy(text=f"start it with LD_LIBRARY_PATH={folder}, which that loader looks into, too"),
                about=container.name,
            )


def _finds(container: Container, folder: str) -> bool:
    """The folder is one that the loader looks into, or libcuda can be had from such a one."""
    told = [path for path in container.env.get("LD_LIBRARY_PATH", "").split(":") if path.startswith("/")]
    looked = (*told, *_USUAL)
    return folder in looked or any(container.root.exists(f"{path}/libcuda.so.1") for path in looked)


RULE = Rule(id="D-MODE-1", link="image", severity="warning", look=_look)
