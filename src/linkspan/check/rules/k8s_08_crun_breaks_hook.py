"""crun 1.23 runs the hook in an order in which it cannot open its cgroup."""

import re
from collections.abc import Iterator

from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import upgrade
from linkspan.check.scene import Scene

_BROKEN = re.compile(r"^1\.23(?:\.\d+)?(?=$|[-+~])")
"""It came to OpenShift with 4.18.21 and went with 4.18.24."""
_FAILED = re.compile(r"error executing hook `?(\S*nvidia-container-runtime-hook)`? \(exit code: 1\)")


def _look(scene: Scene) -> Iterator[Found]:
    version = scene.packages.get("crun", "")
    failed = scene.logged(_FAILED) if _BROKEN.match(version) else None
    for engine in scene.engines_of("crio"):
        if failed and engine.view.default in ("", "crun"):
            yield Found(
                cause=f"crun {version} calls hooks before the container's cgroup is as the hook of NVIDIA's toolkit "
                "expects it",
                evidence=(
                    Evidence(subject="crun", field="installed version", value=version),
                    Evidence(subject=failed[0], field="hook", value=failed[1][0]),
                ),
                remedy=Remedy(
                    text="update crun (OpenShift: to 4.18.24); until then make runc the default runtime of CRI-O, or "
                    "have CDI inject the GPUs, which needs no such hook",
                    commands=upgrade(scene, ["crun"]),
                ),
                about=engine.title,
            )


RULE = Rule(id="D-K8S-8", link="injection", severity="error", look=_look)
