"""A CUDA program finds no driver that is new enough: none at all, a stub, or one that is older than its runtime."""

from collections.abc import Iterator

from linkspan.check import cuda
from linkspan.check.inside import Inside, cudart_version
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.facts.driver import VERSION_FILE

_CAPABILITIES = "NVIDIA_DRIVER_CAPABILITIES"


def _look(scene: Scene) -> Iterator[Found]:
    for inside in scene.gpu_containers:
        if scene.loaded_driver and inside.cudart:
            found = _stub(inside) or _no_compute(inside) or _too_old(scene, inside)
            yield from [found] if found else []


def _environ(inside: Inside, name: str) -> Evidence:
    container = inside.container
    return Evidence(subject=f"/proc/{container.pid}/environ", field=name, value=container.env.get(name, "")[:200])


def _stub(inside: Inside) -> Found | None:
    taken = inside.resolve("libcuda.so.1")
    if taken is None or "/stubs/" not in taken.path:
        return None
    return Found(
        cause=f"LD_LIBRARY_PATH makes programs load {taken.path}, a stub that only links programs",
        evidence=(_environ(inside, "LD_LIBRARY_PATH"), _root(inside, taken.path)),
        remedy=Remedy(text="take the stubs folder out of LD_LIBRARY_PATH; builds name it by -L instead"),
        about=inside.container.name,
    )


def _no_compute(inside: Inside) -> Found | None:
    granted = inside.container.env.get(_CAPABILITIES, "")
    if inside.has("libcuda.so") or not granted or {"all", "compute", "video"} & set(granted.split(",")):
        return None
    return Found(
        cause=f"there is no libcuda in the container, since {_CAPABILITIES} does not grant compute",
        evidence=(_environ(inside, _CAPABILITIES),),
        remedy=Remedy(text=f"start the container with -e {_CAPABILITIES}=compute,utility, or change it in the image"),
        about=inside.container.name,
    )


def _too_old(scene: Scene, inside: Inside) -> Found | None:
    runtime = inside.cudart
    taken = inside.resolve("libcuda.so.1")
    if runtime is None or taken is None or taken.version != scene.loaded_driver:
        return None
    version = cudart_version(runtime)
    needed = cuda.needed_driver(version)
    if not needed or not cuda.older(scene.loaded_driver, needed):
        return None
    return Found(
        cause=f"the image's CUDA {version} needs driver {needed} or newer, and the host's is {scene.loaded_driver}",
        evidence=(
            _root(inside, runtime.real),
            Evidence(subject=VERSION_FILE, field="NVRM version", value=scene.loaded_driver),
        ),
        remedy=Remedy(
            text=f"update the host's driver to {needed} or newer, or take an image for CUDA "
            f"{cuda.cuda_of(scene.loaded_driver)} or older"
        ),
        about=inside.container.name,
    )


def _root(inside: Inside, path: str) -> Evidence:
    return Evidence(subject=f"/proc/{inside.container.pid}/root{path}", field="file", value=path.rpartition("/")[2])


RULE = Rule(id="D-IMAGE-4", link="image", severity="error", look=_look)
