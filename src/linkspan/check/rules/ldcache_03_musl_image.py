"""A GPU container whose image has musl: the driver's programs and libraries need glibc and its loader."""

from collections.abc import Iterator

from linkspan.check.containers import Container
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene

_MUSL = ("/lib/ld-musl-x86_64.so.1", "/lib/ld-musl-aarch64.so.1")
_GLIBC = ("/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1", "/lib/ld-linux-x86-64.so.2")
_INJECTED = ("/libcuda.so.", "/libnvidia-ml.so.", "/bin/nvidia-smi")


def _look(scene: Scene) -> Iterator[Found]:
    for container in scene.containers:
        given = _given(container)
        musl = next((path for path in _MUSL if container.root.exists(path)), "") if given else ""
        if musl and not any(container.root.exists(path) for path in _GLIBC):
            yield Found(
                cause="the image has musl, and the driver's programs and libraries are made for glibc",
                evidence=(
                    Evidence(subject=f"{container.name}: {given}", field="mounted", value="from the host"),
                    Evidence(subject=f"{container.name}: {musl}", field="loader", value="musl"),
                    Evidence(subject=f"{container.name}: {_GLIBC[0]}", field="loader of glibc", value="not there"),
                ),
                remedy=Remedy(text="use an image with glibc, such as one of Debian's, Ubuntu's or nvidia/cuda"),
                about=container.name,
            )


def _given(container: Container) -> str:
    """A file of the driver that is mounted in a container; a privileged one has the nodes without being given any."""
    return next((mount.path for mount in container.mounts if any(name in mount.path for name in _INJECTED)), "")


RULE = Rule(id="D-LDCACHE-3", link="image", severity="error", look=_look)
