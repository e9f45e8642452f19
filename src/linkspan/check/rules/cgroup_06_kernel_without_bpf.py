"""A kernel that was built without what cgroups of version 2 need for rules of devices: no container starts at all."""

import zlib
from collections.abc import Iterator

from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.facts.host import HostReader

_OPTIONS = ("CONFIG_CGROUP_BPF", "CONFIG_BPF_SYSCALL")
_PACKED = "/proc/config.gz"
_LIMIT = 4 << 20


def _look(scene: Scene) -> Iterator[Found]:
    if scene.cgroup_version != 2 or not scene.engines:
        return
    path, known = _config(scene)
    missing = [option for option in _OPTIONS if known and option not in known]
    if missing:
        yield Found(
            cause=f"this kernel was built without {' and '.join(missing)}, and cgroups are of version 2",
            evidence=(
                *(Evidence(subject=path, field=option, value="not set") for option in missing),
                Evidence(subject="/sys/fs/cgroup/cgroup.controllers", field="cgroups", value="version 2"),
            ),
            remedy=Remedy(
                text="boot a kernel with these options, or with systemd.unified_cgroup_hierarchy=0 on its command line"
            ),
        )


def _config(scene: Scene) -> tuple[str, list[str]]:
    """The file that tells how the kernel was built, and which of the options it has; nothing where no file tells."""
    none: list[str] = []
    for path in (_PACKED, f"/boot/config-{scene.kernel}", f"/lib/modules/{scene.kernel}/config"):
        found = scene.eyes.derive("kernel options", path, _read, none)
        if found:
            return path, found
    return "", []


def _read(host: HostReader, path: str) -> list[str]:
    data = host.read(path, 0, _LIMIT) or b""
    if path == _PACKED and data:
        try:
            data = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(data, _LIMIT)
        except zlib.error:
            return []
    set_ = [line.partition("=")[0] for line in data.decode("utf-8", "replace").splitlines() if line.endswith("=y")]
    return [*(option for option in _OPTIONS if option in set_), *(["CONFIG"] if set_ else [])]


RULE = Rule(id="D-CGROUP-6", link="module", severity="error", look=_look)
