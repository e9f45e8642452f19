"""A pod has GPUs that kubelet did not give it: the variable of its image was enough."""

from collections.abc import Iterator

from linkspan.check.inside import Inside
from linkspan.check.kubelet_state import CHECKPOINT
from linkspan.check.kubernetes import pod_of
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import TOOLKIT_CONFIG, Scene
from linkspan.engines.model import owner

_VARIABLE = "NVIDIA_VISIBLE_DEVICES"
_SETTING = "accept-nvidia-visible-devices-envvar-when-unprivileged"
_PROGRAMS = ("nvidia-", "dcgm", "gpu-feature-discovery", "nv-hostengine", "linkspan")
_NAMESPACES = ("kube-system", "gpu-operator", "nvidia")
"""How programs and namespaces of NVIDIA's own pods begin, which see all GPUs on purpose."""
_ALL_CAPABILITIES = 0x1FFFFFFFFF


def _look(scene: Scene) -> Iterator[Found]:
    if not scene.node.is_one or not scene.eyes.exists(CHECKPOINT) or scene.facts.platform in ("wsl", "tegra"):
        return
    granted = {one.pod for one in scene.node.devices.grants if one.resource.startswith("nvidia.com/")}
    granted |= {pod for claim in scene.node.claims for pod in claim.pods if "nvidia" in claim.driver}
    for inside in scene.gpu_containers:
        container = inside.container
        pod = pod_of(container)
        if (
            pod
            and pod not in granted
            and container.env.get(_VARIABLE) == "all"
            and not container.process.name.startswith(_PROGRAMS)
            and not scene.node.pods.get(pod, ("", ""))[0].startswith(_NAMESPACES)
            and not _is_privileged(scene, container.pid)
        ):
            yield _found(scene, inside, pod)


def _is_privileged(scene: Scene, pid: int) -> bool:
    lines = (scene.eyes.text(f"/proc/{pid}/status", 8192) or "").splitlines()
    word = next((line.split()[-1] for line in lines if line.startswith("CapEff:")), "0")
    try:
        return int(word, 16) & _ALL_CAPABILITIES == _ALL_CAPABILITIES
    except ValueError:
        return False


def _found(scene: Scene, inside: Inside, pod: str) -> Found:
    engine, container = scene.node.engine, inside.container
    view = engine.view if engine else None
    is_default = bool(view and owner(view.runtimes.get(view.default, "")) != "other")
    default = (
        (Evidence(subject=engine.config, field="default runtime", value=view.default),)
        if engine and view and is_default
        else ()
    )
    return Found(
        cause=f"a pod without a grant of kubelet has {len(scene.gpus_of(inside))} GPUs, since its image says "
        f"{_VARIABLE}=all" + (" and the default runtime heeds that" if is_default else ""),
        evidence=(
            Evidence(subject=f"/proc/{container.pid}/environ", field=_VARIABLE, value="all"),
            Evidence(subject=CHECKPOINT, field=f"devices of pod {pod}", value="none"),
            *default,
        ),
        remedy=Remedy(
            text=f"set {_SETTING} = false and accept-nvidia-visible-devices-as-volume-mounts = true in "
            f"{TOOLKIT_CONFIG}, and DEVICE_LIST_STRATEGY=volume-mounts (or cdi-cri) for the device plugin"
        ),
        about=f"pod {'/'.join(scene.node.pods.get(pod, (pod,)))}",
    )


RULE = Rule(id="D-K8S-10", link="request", severity="warning", look=_look, horizon="insecure")
