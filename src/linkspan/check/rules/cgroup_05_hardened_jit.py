"""A kernel that hides BPF programs (constant blinding), which NVIDIA's hook has to read before it can add to them."""

from collections.abc import Iterator

from linkspan.check import bridge
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene

HARDENED = "/proc/sys/net/core/bpf_jit_harden"
FOR_ROOT_TOO = "2"
"""Documentation/admin-guide/sysctl/net.rst: 1 hardens programs of unprivileged users, 2 those of all."""


def _look(scene: Scene) -> Iterator[Found]:
    engines = [engine for engine in bridge.nvidias(scene, "docker") if not engine.rootless]
    off = scene.toolkit.nvidia_container_cli.no_cgroups
    if engines and not off and scene.cgroup_version == 2 and scene.line(HARDENED) == FOR_ROOT_TOO:
        yield Found(
            cause="the kernel hardens BPF programs of root, too, so NVIDIA's hook cannot read and extend a container's",
            evidence=(Evidence(subject=HARDENED, value=FOR_ROOT_TOO),),
            remedy=Remedy(
                text="harden those of unprivileged users alone, or ask for GPUs by CDI names",
                commands=("sysctl net.core.bpf_jit_harden=1",) if scene.has("sysctl") else (f"echo 1 >{HARDENED}",),
            ),
            about=engines[0].title,
        )


RULE = Rule(id="D-CGROUP-5", link="bridge", severity="error", look=_look)
