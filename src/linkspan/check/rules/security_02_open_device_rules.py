"""A container may make the nodes of GPUs that it was not given, and open them."""

import re
from collections.abc import Iterator

from linkspan.check.containers import Container
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene

_WIDE = re.compile(r"^c 195:\* rwm?$")
_MKNOD = 1 << 27
"""CAP_MKNOD (capabilities(7)), which Docker gives unless told otherwise."""
_EVERYTHING = "a *:* rwm"


def _look(scene: Scene) -> Iterator[Found]:
    by_id = {record.id: record for record in scene.docker_records if not record.privileged}
    for inside in scene.gpu_containers:
        container = inside.container
        given = scene.gpus_of(inside)
        if not given or len(given) >= len(scene.facts.gpus) or not _may_make_nodes(scene, container.pid):
            continue
        record = by_id.get(container.id)
        rule = next((one for one in record.device_rules if _WIDE.match(one.strip())), "") if record else ""
        evidence = Evidence(subject=record.asked, field="DeviceCgroupRules", value=rule) if record else None
        if not rule:
            path, rule = _by_cgroup(scene, container)
            evidence = Evidence(subject=path, field="rule", value=rule)
        if rule and evidence:
            yield _found(container, evidence, len(given))


def _may_make_nodes(scene: Scene, pid: int) -> bool:
    status = scene.eyes.text(f"/proc/{pid}/status", 8192) or ""
    line = next((line for line in status.splitlines() if line.startswith("CapEff:")), "CapEff: 0")
    try:
        return bool(int(line.split()[1], 16) & _MKNOD)
    except (ValueError, IndexError):
        return False


def _by_cgroup(scene: Scene, container: Container) -> tuple[str, str]:
    """The rule of cgroup v1, which can be read; that of v2 is a program. A privileged container has none."""
    folder = next((row.split(":", 2)[2] for row in container.cgroup.splitlines() if _is_devices(row)), "")
    path = f"/sys/fs/cgroup/devices{folder}/devices.list"
    rules = (scene.eyes.text(path, 65536) or "").splitlines() if folder else []
    if _EVERYTHING in rules:
        return path, ""
    return path, next((one for one in rules if _WIDE.match(one)), "")


def _is_devices(row: str) -> bool:
    parts = row.split(":", 2)
    return len(parts) == 3 and "devices" in parts[1].split(",")


def _found(container: Container, evidence: Evidence, given: int) -> Found:
    return Found(
        cause=f"the container was given {given} of the GPUs, may make device nodes, and its rule allows every GPU: it "
        "can open the others, too",
        evidence=(evidence, Evidence(subject=f"/proc/{container.pid}/status", field="CapEff", value="CAP_MKNOD")),
        remedy=Remedy(
            text="start it without --device-cgroup-rule for 195:*, and with --cap-drop MKNOD; the GPUs that it asks "
            "for bring rules of their own"
        ),
        about=container.name,
    )


RULE = Rule(id="D-SECURITY-2", link="request", severity="warning", look=_look, horizon="insecure")
