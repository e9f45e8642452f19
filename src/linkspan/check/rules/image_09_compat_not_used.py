"""An image brings CUDA's compatibility library, its CUDA needs it, and programs load the driver's own libcuda."""

from collections.abc import Iterator

from linkspan.check import cuda
from linkspan.check.inside import Inside, cudart_version
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import TOOLKIT_CONFIG, Scene


def _look(scene: Scene) -> Iterator[Found]:
    driver = scene.loaded_driver
    for inside in scene.gpu_containers if driver and _setting(scene) else ():
        compat, runtime = inside.compat, inside.cudart
        taken = inside.resolve("libcuda.so.1") if compat else None
        if not (taken and compat and runtime) or taken.version != driver:
            continue
        version = cudart_version(runtime)
        if cuda.older(driver, compat.version) and cuda.older(cuda.cuda_of(driver), version) and _serves(scene, inside):
            yield _found(scene, inside, compat.path, compat.version, version)


def _serves(scene: Scene, inside: Inside) -> bool:
    gpus = scene.gpus_of(inside)
    return bool(gpus) and all(cuda.is_data_centre(gpu.name) for gpu in gpus)


def _setting(scene: Scene) -> tuple[str, str] | None:
    """What keeps the library out, key and value."""
    if scene.toolkit.features.disable_cuda_compat_lib_hook:
        return "features.disable-cuda-compat-lib-hook", "true"
    mode = scene.toolkit.nvidia_container_runtime.modes.legacy.cuda_compat_mode
    return ("nvidia-container-runtime.modes.legacy.cuda-compat-mode", mode) if mode == "disabled" else None


def _found(scene: Scene, inside: Inside, path: str, compat: str, version: str) -> Found:
    driver = scene.loaded_driver
    key, value = _setting(scene) or ("", "")
    return Found(
        cause=f"programs of CUDA {version} load the driver's own libcuda {driver}, which knows CUDA up to "
        f"{cuda.cuda_of(driver)}, though the image brings one of {compat} for that; a host with another driver decides "
        "otherwise",
        evidence=(
            Evidence(subject=f"/proc/{inside.container.pid}/root{path}", field="version", value=compat),
            Evidence(subject=TOOLKIT_CONFIG, field=key, value=value),
        ),
        remedy=Remedy(
            text=f"allow the compatibility library in {TOOLKIT_CONFIG} on every host of the job (cuda-compat-mode = "
            '"ldconfig", and no disable-cuda-compat-lib-hook), or bring all hosts to a driver for CUDA '
            f"{version}"
        ),
        about=inside.container.name,
    )


RULE = Rule(id="D-IMAGE-9", link="image", severity="warning", look=_look)
