"""CUDA's compatibility libcuda is loaded on a GPU that it does not serve (CUDA error 804)."""

from collections.abc import Iterator

from linkspan.check import cuda
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import TOOLKIT_CONFIG, Scene


def _look(scene: Scene) -> Iterator[Found]:
    driver = scene.loaded_driver
    for inside in scene.gpu_containers if driver else ():
        compat = inside.compat
        taken = inside.resolve("libcuda.so.1") if compat else None
        gpus = [gpu for gpu in scene.gpus_of(inside) if cuda.is_consumer(gpu.name)]
        if not (taken and compat and gpus) or taken.real != compat.path or not cuda.older(driver, taken.version):
            continue
        yield Found(
            cause=f"programs load CUDA's compatibility library of driver {taken.version} on a {gpus[0].name}, which it "
            "does not serve",
            evidence=(
                Evidence(subject=f"/proc/{inside.container.pid}/root{taken.path}", field="leads to", value=taken.real),
                Evidence(
                    subject=f"/proc/driver/nvidia/gpus/{gpus[0].pci_bus_id[4:].lower()}/information",
                    field="Model",
                    value=gpus[0].name,
                ),
            ),
            remedy=Remedy(
                text=f"update the host's driver to {taken.version} or newer, or take an image for CUDA "
                f"{cuda.cuda_of(driver)} or older; features.disable-cuda-compat-lib-hook = true in {TOOLKIT_CONFIG} "
                "leaves the library alone, and taking its folder out of LD_LIBRARY_PATH does, where that names it"
            ),
            about=inside.container.name,
        )


RULE = Rule(id="D-IMAGE-6", link="image", severity="error", look=_look)
