"""The driver is installed, and its module is not there for the kernel that runs, or is there and was not loaded."""

from collections.abc import Iterator

from linkspan.check.driver_module import (
    bars,
    dkms_sources,
    held_by_nouveau,
    install,
    on_disk,
    other_kernels,
    secured_by,
    settings,
    unserved,
)
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import programs
from linkspan.check.scene import Scene
from linkspan.plan.wording import listed


def _look(scene: Scene) -> Iterator[Found]:
    gpus, kernel = unserved(scene), scene.kernel
    if not gpus or not kernel or held_by_nouveau(scene):
        return
    module = on_disk(scene, kernel)
    if not module:
        yield from _not_built(scene, kernel)
    elif not secured_by(scene)[0]:
        yield _not_loaded(scene, module)


def _not_built(scene: Scene, kernel: str) -> Iterator[Found]:
    others, sources = other_kernels(scene), dkms_sources(scene)
    if not others and not sources:
        return
    headers = f"/lib/modules/{kernel}/build"
    build = Evidence(subject=headers, value="there" if scene.eyes.exists(headers) else "not there")
    had = f", though for {listed(others)}" if others else ""
    install_headers = () if scene.eyes.exists(headers) else install(scene, "headers")
    yield Found(
        cause=f"there is no module nvidia for the kernel {kernel} that runs{had}",
        evidence=(
            Evidence(subject=f"/lib/modules/{kernel}", field="nvidia.ko", value="not there"),
            *(Evidence(subject=on_disk(scene, other)) for other in others[:2]),
            *(Evidence(subject=source, field="source of DKMS") for source in sources[:1]),
            build,
        ),
        remedy=Remedy(
            text="build the module for this kernel and load it" if not install_headers
            else "install the headers of this kernel, build the module for it and load it",
            commands=(*install_headers, *programs(scene, f"dkms autoinstall -k {kernel}", "modprobe nvidia")),
        ),
    )  # fmt: skip


def _not_loaded(scene: Scene, module: str) -> Found:
    barred = next(((path, words) for path, words in settings(scene) if bars(words, "nvidia")), None)
    why = f": {barred[0]} has '{' '.join(barred[1])}'" if barred else ""
    return Found(
        cause=f"the module nvidia is on disk for this kernel, and is not loaded{why}",
        evidence=(
            Evidence(subject="/proc/modules", field="nvidia", value="not there"),
            Evidence(subject=module),
            *((Evidence(subject=barred[0], field="line", value=" ".join(barred[1])),) if barred else ()),
        ),
        remedy=Remedy(
            text=f"take that line out of {barred[0]}, then load the module" if barred
            else "load the module; if that fails, 'dmesg' tells why",
            commands=programs(scene, "modprobe nvidia"),
        ),
    )  # fmt: skip


RULE = Rule(id="D-DRIVER-5", link="module", severity="error", look=_look)
