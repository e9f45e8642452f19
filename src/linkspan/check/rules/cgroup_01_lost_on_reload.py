"""A reload of systemd's units takes the GPU away from running containers."""

from collections.abc import Iterator

from linkspan.check import bridge
from linkspan.check.daemons import Engine
from linkspan.check.model import Evidence, Found, MakeLink, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.engines.model import get
from linkspan.facts.model import DeviceNode


def _look(scene: Scene) -> Iterator[Found]:
    if not scene.eyes.exists("/run/systemd/system") or not scene.has_driver:
        return
    engines = [engine for engine in scene.engines if engine.process is not None and _by_systemd(scene, engine)]
    if engines:
        yield from _links(scene, engines[0])
    for engine in bridge.nvidias(scene, "docker"):
        if engine in engines and not engine.rootless:
            yield _behind_its_back(scene, engine)


def _by_systemd(scene: Scene, engine: Engine) -> bool:
    """Whether an engine has systemd make its cgroups: Docker's default is that where cgroups are of version 2."""
    if engine.kind == "docker":
        options = engine.tree.get("exec-opts", [])
        chosen = [str(option) for option in options] if isinstance(options, list) else []
        named = next((option for option in chosen if option.startswith("native.cgroupdriver=")), "")
        return named.endswith("=systemd") if named else scene.cgroup_version == 2
    if engine.kind == "containerd":
        return "SystemdCgroup = true" in "".join(file.text for file in engine.files)
    return engine.kind != "crio" or get(engine.tree, ("crio", "runtime", "cgroup_manager"), "systemd") == "systemd"


def _links(scene: Scene, engine: Engine) -> Iterator[Found]:
    """systemd finds a device by its number through /dev/char (runc's cgroups/devices/systemd.go)."""  # noqa: D403
    nodes = [node for node in scene.facts.devices if node.path.startswith("/dev/nvidia") and node.type == "c"]
    missing = [node for node in nodes if not scene.eyes.exists(_link(node))]
    if missing:
        yield Found(
            cause=f"{len(missing)} of {len(nodes)} device nodes have no link in /dev/char, by which systemd finds them",
            evidence=tuple(
                Evidence(subject=_link(node), field="link to", value=f"{node.path}: not there") for node in missing[:4]
            ),
            remedy=Remedy(
                text="make the links, then start the containers anew",
                commands=("linkspan cdi refresh",) if scene.has("linkspan") else (),
                actions=tuple(
                    MakeLink(path=_link(node), target=f"..{node.path.removeprefix('/dev')}") for node in missing
                ),
            ),
            about=engine.title,
        )


def _link(node: DeviceNode) -> str:
    return f"/dev/char/{node.major}:{node.minor}"


def _behind_its_back(scene: Scene, engine: Engine) -> Found:
    hook = bridge.hook(scene, engine)
    return Found(
        cause="NVIDIA's hook allows the devices of --gpus behind systemd's back, which forgets them on its next reload",
        evidence=(
            Evidence(subject=hook or engine.view.runtimes.get("nvidia", ""), field="bridge", value="NVIDIA's toolkit"),
            Evidence(subject=engine.config, field="cgroup driver", value="systemd"),
        ),
        remedy=Remedy(
            text="ask for GPUs by CDI names, or let linkspan be the bridge, which tells systemd of them",
            commands=("docker run --device nvidia.com/gpu=all …",) if scene.specs.of_kind() else (),
        ),
        about=engine.title,
    )


RULE = Rule(id="D-CGROUP-1", link="injection", severity="error", look=_look, horizon="later")
