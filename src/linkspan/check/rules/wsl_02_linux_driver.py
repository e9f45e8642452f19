"""A Linux driver was installed in a WSL2 guest, where only Windows' driver works."""

from collections.abc import Iterator

from linkspan.check import wsl
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import purge
from linkspan.check.scene import Scene

_FOLDERS = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/local/lib")
_NAMES = ("libcuda.so.", "libnvidia-ml.so.")
_PACKAGES = ("nvidia-driver-", "nvidia-utils-", "libnvidia-", "cuda-drivers", "nvidia-dkms-", "libcuda1")
_TOOLKITS = ("libnvidia-container", "libnvidia-egl")


def _look(scene: Scene) -> Iterator[Found]:
    if not wsl.kernel(scene) or scene.facts.platform != "wsl":
        return
    paths = [path for folder in _FOLDERS for path in _of_a_driver(scene, folder)]
    if paths:
        packages = sorted(name for name in scene.packages if name.startswith(_PACKAGES) and not _is_toolkit(name))
        yield Found(
            cause=f"a Linux driver is installed in this WSL2 guest: programs load {paths[0]} in place of Windows' own",
            evidence=(
                *(Evidence(subject=path, field="leads to", value=scene.eyes.real(path) or "") for path in paths[:3]),
                *(Evidence(subject=name, field="installed", value=scene.packages[name]) for name in packages[:3]),
            ),
            remedy=Remedy(
                text="remove the driver's packages and files from the guest; for CUDA install cuda-toolkit-X-Y, which "
                "brings no driver",
                commands=purge(scene, packages),
            ),
        )


def _is_toolkit(name: str) -> bool:
    return name.startswith(_TOOLKITS)


def _of_a_driver(scene: Scene, folder: str) -> list[str]:
    """The entries for libcuda and NVML that are no links to Windows' own."""
    found = (f"{folder}/{name}" for name in scene.eyes.names(folder) if name.startswith(_NAMES))
    reals = ((path, scene.eyes.real(path)) for path in found)
    return [path for path, real in reals if real and not real.startswith("/usr/lib/wsl/") and scene.eyes.size(real)]


RULE = Rule(id="D-WSL-2", link="libraries", severity="error", look=_look)
