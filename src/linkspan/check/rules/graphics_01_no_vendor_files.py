"""EGL and Vulkan do not learn that there is an NVIDIA driver: its vendor files are not in the container."""

from collections.abc import Iterator

from linkspan.check.graphics import CAPABILITIES, VENDOR_FILES, loader, severity, uses_graphics
from linkspan.check.inside import Inside
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import install
from linkspan.check.scene import Scene


def _look(scene: Scene) -> Iterator[Found]:
    for inside in scene.gpu_containers:
        if uses_graphics(inside) and not any(inside.container.root.exists(path) for path in VENDOR_FILES):
            on_host = [path for path in VENDOR_FILES if scene.eyes.exists(path)]
            yield _not_injected(scene, inside, on_host[0]) if on_host else _not_on_host(scene, inside)


def _not_injected(scene: Scene, inside: Inside, on_host: str) -> Found:
    record = next((one for one in scene.docker_records if one.id == inside.container.id), None)
    by_hook = record is not None and record.runtime in ("runc", "crun") and bool(record.requests)
    why = ": --gpus alone goes through the hook, which brings libraries and no such files" if by_hook else ""
    runtime = (Evidence(subject=record.asked, field="Runtime", value=record.runtime),) if record else ()
    return Found(
        cause=f"the container has graphics, and none of the files that name the driver to EGL and Vulkan{why}",
        evidence=(
            Evidence(
                subject=f"/proc/{inside.container.pid}/environ",
                field=CAPABILITIES,
                value=inside.container.env.get(CAPABILITIES, ""),
            ),
            Evidence(subject=on_host, field="on the host", value="there"),
            *runtime,
        ),
        remedy=Remedy(text="start it with --runtime=nvidia beside --gpus, or with --device nvidia.com/gpu=all"),
        about=inside.container.name,
        severity=severity(inside.container),
    )


def _not_on_host(scene: Scene, inside: Inside) -> Found:
    return Found(
        cause="the host's driver was installed without its part for graphics, so there is nothing to inject",
        evidence=(
            Evidence(subject=VENDOR_FILES[0], field="on the host", value="not there"),
            Evidence(subject=VENDOR_FILES[2], field="on the host", value="not there"),
            Evidence(
                subject=f"/proc/{inside.container.pid}/root{loader(inside)}", field="in the container", value="there"
            ),
        ),
        remedy=Remedy(
            text="install the driver's libraries for GL, EGL and Vulkan on the host, then start it anew",
            commands=install(scene, "graphics"),
        ),
        about=inside.container.name,
        link="libraries",
        severity=severity(inside.container),
    )


RULE = Rule(id="D-GRAPHICS-1", link="injection", severity="error", look=_look)
