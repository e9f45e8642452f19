"""Windows gives this guest no GPU, or has no NVIDIA driver for it."""

from collections.abc import Iterator

from linkspan.check import wsl
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene


def _look(scene: Scene) -> Iterator[Found]:
    words = wsl.kernel(scene)
    if not words:
        return
    evidence = Evidence(subject=wsl.VERSION, field="kernel", value=words[:120])
    if wsl.is_first(words):
        yield Found(
            cause="this is WSL1, in which there are no GPUs",
            evidence=(evidence,),
            remedy=Remedy(text="in Windows: wsl.exe --set-version DISTRIBUTION 2"),
        )
    elif not scene.eyes.exists(wsl.DEVICE):
        yield Found(
            cause=f"Windows gives this guest no GPU: there is no {wsl.DEVICE}",
            evidence=(evidence, Evidence(subject=wsl.DEVICE, field="device", value="not there")),
            remedy=Remedy(
                text="in Windows: install NVIDIA's driver, run wsl.exe --update and wsl.exe --shutdown, and see that "
                "gpuSupport is not false in .wslconfig"
            ),
        )
    elif not scene.facts.wsl_store:
        yield Found(
            cause=f"Windows has no NVIDIA driver that knows WSL2: {wsl.STORE} holds none",
            evidence=(Evidence(subject=f"{wsl.STORE}/*/libcuda.so.1.1", field="file", value="not there"),),
            remedy=Remedy(text="in Windows: install a current NVIDIA driver, then run wsl.exe --shutdown"),
            link="module",
        )


RULE = Rule(id="D-WSL-1", link="pci", severity="error", look=_look)
