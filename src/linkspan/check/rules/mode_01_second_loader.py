"""Driver files at the host's place, in a container with a program whose own loader looks elsewhere."""

import posixpath
from collections.abc import Iterator

from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene

_MUSL = ("/lib/ld-musl-x86_64.so.1", "/lib/ld-musl-aarch64.so.1")
_USUAL = ("/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib")
_TRIPLES = ("x86_64-linux-gnu", "aarch64-linux-gnu")


def _look(scene: Scene) -> Iterator[Found]:
    for container in scene.containers:
        libcuda = next((mount.path for mount in container.mounts if "/libcuda.so." in mount.path), "")
        folder = posixpath.dirname(libcuda)
        usual = (*_USUAL, *(f"{top}/{triple}" for top in ("/lib", "/usr/lib") for triple in _TRIPLES))
        musl = next((path for path in _MUSL if libcuda and container.root.exists(path)), "")
        if musl and folder not in usual and container.root.exists("/etc/ld.so.cache"):
            yield Found(
                cause=f"the driver's libraries are in {folder}, which glibc's cache alone knows, and musl is here, too",
                evidence=(
                    Evidence(subject=f"{container.name}: {libcuda}", field="mounted", value="from the host"),
                    Evidence(subject=f"{container.name}: {musl}", field="second loader", value="musl"),
                ),
                remedy=Remedy(text=f"start it with LD_LIBRARY_PATH={folder}, which that loader looks into, too"),
                about=container.name,
            )


RULE = Rule(id="D-MODE-1", link="image", severity="warning", look=_look)
