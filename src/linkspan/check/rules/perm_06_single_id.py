"""A user without subordinate ids has one id in his containers; NVIDIA's hook wants to set groups there, and may not."""

from collections.abc import Iterator

from linkspan.check import bridge
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.facts.host import glob

_HOOKS = ("/usr/share/containers/oci/hooks.d/*nvidia*.json", "/etc/containers/oci/hooks.d/*nvidia*.json")
_SETTING = "ignore_chown_errors"
_SUBUID = "/etc/subuid"


def _look(scene: Scene) -> Iterator[Found]:
    hooks = [path for pattern in _HOOKS for path in glob(scene.eyes, pattern)]
    if not hooks or not scene.engines_of("podman") or "nvidia" not in _owners(scene):
        return
    for home in glob(scene.eyes, "/home/*"):
        user, path = home.rpartition("/")[2], f"{home}/.config/containers/storage.conf"
        setting = next((line.strip() for line in (scene.eyes.text(path) or "").splitlines() if _is_set(line)), "")
        if setting and not _has_ids(scene, user):
            yield Found(
                cause=f"{user} has no subordinate ids, so NVIDIA's hook may not set groups in his containers",
                evidence=(
                    Evidence(subject=path, field=_SETTING, value=setting.partition("=")[2].strip()),
                    Evidence(subject=_SUBUID, field=user, value="not in it"),
                    Evidence(subject=hooks[0], field="hook", value="NVIDIA's"),
                ),
                remedy=Remedy(
                    text="take the hook away and start containers with --device nvidia.com/gpu=all, by a CDI spec",
                    commands=(f"rm {hooks[0]}", *(("linkspan cdi refresh",) if scene.has("linkspan") else ())),
                ),
                about=f"user {user}",
            )


def _owners(scene: Scene) -> set[str]:
    """Whose the hook's programs are, of those that stand on the usual PATH."""
    return {bridge.of_program(scene.eyes, program) for program in bridge.installed_programs(scene)}


def _is_set(line: str) -> bool:
    name, _, value = line.partition("=")
    return name.strip() == _SETTING and value.strip().strip("\"'").lower() == "true"


def _has_ids(scene: Scene, user: str) -> bool:
    return any(line.startswith(f"{user}:") for line in (scene.eyes.text(_SUBUID) or "").splitlines())


RULE = Rule(id="D-PERM-6", link="bridge", severity="error", look=_look)
