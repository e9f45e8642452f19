"""The loader takes a libcuda of another version than the loaded kernel module (CUDA error 803)."""

from collections.abc import Iterator

from linkspan.check import cuda
from linkspan.check.inside import COMPAT, Inside
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.facts.driver import VERSION_FILE, same_version


def _look(scene: Scene) -> Iterator[Found]:
    driver = scene.loaded_driver
    if not driver or not same_version(driver, scene.facts.driver.readings.get("library", "") or driver):
        return  # the host itself is of two versions: that comes first
    for inside in scene.gpu_containers:
        taken = inside.resolve("libcuda.so.1") if inside.libcudas - {driver} else None
        if taken and taken.version and not same_version(taken.version, driver):
            compat = _is_compat(inside, taken.real)
            if not compat or cuda.older(taken.version, driver):
                yield _found(inside, taken.path, taken.real, taken.version, driver, compat=compat)


def _is_compat(inside: Inside, real: str) -> bool:
    folder = inside.container.root.real(COMPAT)
    return "/compat/" in real or bool(folder and real.startswith(f"{folder}/"))


def _found(inside: Inside, path: str, real: str, version: str, driver: str, *, compat: bool) -> Found:
    container = inside.container
    named = next((folder for folder in inside.loader_path if path == f"{folder}/libcuda.so.1"), "")
    how = f"LD_LIBRARY_PATH names {named}" if named else "the loader's cache names it"
    what = "CUDA's compatibility library is older than the driver" if compat else "the image brings a driver's library"
    loader = Evidence(
        subject=f"/proc/{container.pid}/environ",
        field="LD_LIBRARY_PATH",
        value=container.env.get("LD_LIBRARY_PATH", ""),
    )
    return Found(
        cause=f"programs load libcuda of driver {version} while the kernel module is of {driver}: {what}, and {how}",
        evidence=(
            *([loader] if named else []),
            Evidence(subject=f"/proc/{container.pid}/root{path}", field="leads to", value=real),
            Evidence(subject=VERSION_FILE, field="NVRM version", value=driver),
        ),
        remedy=Remedy(
            text=f"take {named} out of LD_LIBRARY_PATH (docker run -e LD_LIBRARY_PATH=), or out of the image"
            if named
            else f"remove {real} from the image, and the package that brought it"
        ),
        about=container.name,
    )


RULE = Rule(id="D-IMAGE-5", link="image", severity="error", look=_look)
