"""The operator brings the driver of this node, and the host updates one of its own."""

import re
from collections.abc import Iterator

from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import purge
from linkspan.check.scene import Scene

_ROOT = "/run/nvidia/driver"
_PACKAGE = re.compile(
    r"^(nvidia-driver|nvidia-utils|libnvidia-(compute|cfg|gl|decode|encode)|nvidia-dkms|nvidia-kernel)"
)
_PERIODIC = re.compile(r'^\s*APT::Periodic::Unattended-Upgrade\s+"?([1-9]\d*|always)"?\s*;', re.MULTILINE)
_KEPT = re.compile(r'^\s*"[^"]*nvidia[^"]*"\s*;', re.MULTILINE | re.IGNORECASE)
_FOLDER = "/etc/apt/apt.conf.d"


def _look(scene: Scene) -> Iterator[Found]:
    packages = sorted(name for name in scene.packages if _PACKAGE.match(name))
    if not packages or not scene.eyes.exists(f"{_ROOT}/usr"):
        return
    update = _updates_itself(scene)
    if not update:
        return
    yield Found(
        cause=f"the operator's driver is mounted at {_ROOT}, and the host has {packages[0]} of its own, which "
        "unattended upgrades bring to another version",
        evidence=(
            Evidence(subject=_ROOT, field="driver of the operator", value="there"),
            *(Evidence(subject=name, field="installed", value=scene.packages[name]) for name in packages[:3]),
            *update,
        ),
        remedy=Remedy(
            text="remove the host's packages of the driver, or keep them and install the operator with "
            'driver.enabled=false; at least name "nvidia-" and "libnvidia-" in '
            "Unattended-Upgrade::Package-Blacklist",
            commands=purge(scene, packages),
        ),
    )


def _updates_itself(scene: Scene) -> tuple[Evidence, ...]:
    texts = {name: scene.eyes.text(f"{_FOLDER}/{name}", 65536) or "" for name in scene.eyes.names(_FOLDER)[:100]}
    if any("Package-Blacklist" in text and _KEPT.search(text) for text in texts.values()):
        return ()
    periodic = ((name, found) for name, text in texts.items() if (found := _PERIODIC.search(text)))
    return tuple(
        Evidence(subject=f"{_FOLDER}/{name}", field="APT::Periodic::Unattended-Upgrade", value=match[1])
        for name, match in list(periodic)[:1]
    )


RULE = Rule(id="D-K8S-13", link="version", severity="warning", look=_look, horizon="later")
