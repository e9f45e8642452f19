"""AppArmor lets only programs with a profile make user namespaces, and an engine of users has none."""

import re
from collections.abc import Iterator

from linkspan.check.kernel_messages import since_load
from linkspan.check.model import Action, Evidence, Found, Remedy, WriteFile
from linkspan.check.registry import Rule
from linkspan.check.remedies import programs
from linkspan.check.scene import Scene

SWITCH = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns"
PROFILES = "/sys/kernel/security/apparmor/profiles"
_DENIED = re.compile(r'apparmor="DENIED" operation="userns_create".*? comm="(?P<name>[^"]+)"')
_STARTERS = ("rootlesskit", "apptainer", "starter", "starter-suid", "enroot-nsenter", "enroot-mount", "podman", "crun")
"""What makes the namespaces of rootless Docker, Apptainer, Enroot and Podman, by the names that the kernel sees."""


def _look(scene: Scene) -> Iterator[Found]:
    if scene.line(SWITCH) != "1":
        return
    told = {"rootlesskit"} if any(engine.rootless for engine in scene.engines) else set()
    for path, line in since_load(scene):
        match = _DENIED.search(line)
        name = match["name"] if match else ""
        if name in _STARTERS and name not in told and not _has_profile(scene, name):
            told.add(name)
            yield _found(scene, name, Evidence(subject=path, field="denial", value=line.strip()[:300]))


def _has_profile(scene: Scene, name: str) -> bool:
    """True where a profile of this name, or of this program's path, is loaded: it came after the denial."""
    profiles = [line.rpartition(" (")[0] for line in (scene.eyes.text(PROFILES) or "").splitlines()]
    return any(profile == name or profile.endswith((f"/{name}", f".{name}")) for profile in profiles)


def _found(scene: Scene, name: str, denial: Evidence) -> Found:
    program = scene.find(name) or f"/usr/bin/{name}"
    path = f"/etc/apparmor.d/{program.strip('/').replace('/', '.')}"
    text = f"abi <abi/4.0>,\ninclude <tunables/global>\n\n{program} flags=(unconfined) {{\n  userns,\n}}\n"
    writing: tuple[Action, ...] = (WriteFile(path=path, was=None, text=text),)
    return Found(
        cause=f"AppArmor does not let {name} make a user namespace, since no profile allows it that",
        evidence=(
            Evidence(subject=SWITCH, value="1"),
            denial,
            Evidence(subject=PROFILES, field=name, value="not in it"),
        ),
        remedy=Remedy(
            text=f"load a profile for {program} that has 'userns,' in it; do not switch the restriction off",
            commands=programs(scene, f"apparmor_parser -r {path}"),
            actions=writing if not scene.eyes.exists(path) and scene.find(name) else (),
        ),
        about=name,
    )


RULE = Rule(id="D-PERM-10", link="engine", severity="error", look=_look)
