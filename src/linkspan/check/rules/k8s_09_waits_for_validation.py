"""Pods of NVIDIA's operator wait for a file that says that a part before them is ready."""

import re
from collections.abc import Iterator

from linkspan.check.containers import Container
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.engines.model import owner

_FOLDER = "/run/nvidia/validations"
_WAITS = re.compile(r"-f\s+(/run/nvidia/validations/([\w.-]+))")
_PATIENCE_S = 15 * 60
_DRIVER, _TOOLKIT = "driver-ready", "toolkit-ready"
_DRIVER_ROOT = "/run/nvidia/driver"
_TOOLKIT_FOLDER = "/usr/local/nvidia/toolkit"


def _look(scene: Scene) -> Iterator[Found]:
    waiting = [(one, found) for one in scene.containers if (found := _WAITS.search(" ".join(one.process.argv)))]
    long = [(one, found) for one, found in waiting if _waits_long(scene, one)]
    absent = [(one, found) for one, found in long if not scene.eyes.exists(found[1])]
    if absent:
        container, found = absent[0]
        why, evidence, remedy = _first_broken(scene)
        yield Found(
            cause=f"{len(absent)} pods of the operator wait for {found[1]}: {why}",
            evidence=(
                Evidence(
                    subject=f"/proc/{container.pid}/cmdline", field="waits for", value=f"{found[1]}, which is not there"
                ),
                evidence,
            ),
            remedy=Remedy(text=remedy),
            about="GPU operator",
        )


def _waits_long(scene: Scene, one: Container) -> bool:
    """A node that has just started is given the time to build and load a driver."""
    return scene.now is None or scene.now - one.process.started > _PATIENCE_S


def _first_broken(scene: Scene) -> tuple[str, Evidence, str]:
    """The first link of the operator's own chain that is broken: what, by what that is seen, and what to do."""
    if not scene.eyes.exists(f"{_FOLDER}/{_DRIVER}"):
        return _driver(scene)
    if not scene.eyes.exists(f"{_TOOLKIT_FOLDER}/nvidia-container-runtime"):
        return (
            "the toolkit's pod has put nothing on this node",
            Evidence(subject=_TOOLKIT_FOLDER, field="nvidia-container-runtime", value="not there"),
            "read the log of the pod nvidia-container-toolkit-daemonset of this node",
        )
    engine = scene.node.engine
    if engine and not any(owner(program) != "other" for program in engine.view.runtimes.values()):
        return (
            f"the toolkit is on the node, and {engine.title} does not know its runtime in {engine.config}",
            Evidence(subject=engine.config, field="runtimes", value=", ".join(engine.view.runtimes) or "none"),
            f"give the toolkit's DaemonSet the path of that file ({engine.config}), and restart {engine.title}",
        )
    return (
        "the validator has not seen a container with a GPU yet",
        Evidence(subject=f"{_FOLDER}/{_TOOLKIT}", field="file", value="not there"),
        "read the log of the pod nvidia-operator-validator of this node, container toolkit-validation",
    )


def _driver(scene: Scene) -> tuple[str, Evidence, str]:
    if scene.has_driver and not scene.eyes.names(_DRIVER_ROOT):
        return (
            "the kernel module is loaded, and nobody has validated the driver: the host has one of its own, which the "
            "operator has to be told (driver.enabled=false)",
            Evidence(subject=_DRIVER_ROOT, field="driver root of the operator", value="empty"),
            "read the log of the pod nvidia-operator-validator of this node, container driver-validation",
        )
    return (
        "the driver's pod is not ready",
        Evidence(subject=f"{_FOLDER}/{_DRIVER}", field="file", value="not there"),
        "read the log of the pod nvidia-driver-daemonset of this node",
    )


RULE = Rule(id="D-K8S-9", link="injection", severity="error", look=_look)
