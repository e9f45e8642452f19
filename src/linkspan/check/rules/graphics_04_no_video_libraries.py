"""A program is to decode or encode on the GPU, and its container has no libraries of the driver for that."""

from collections.abc import Iterator
from itertools import pairwise

from linkspan.check.graphics import CAPABILITIES, capabilities
from linkspan.check.inside import Inside
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.processes import Process
from linkspan.check.registry import Rule
from linkspan.check.remedies import install
from linkspan.check.scene import Scene

_WORDS = ("nvenc", "nvdec", "cuvid", "h264_nvmpi")
_NEEDED = ("libnvcuvid", "libnvidia-encode")


def _look(scene: Scene) -> Iterator[Found]:
    users = [one for one in scene.processes.all.values() if _uses_video(one)]
    for inside in scene.gpu_containers if users else ():
        own = (one for one in users if scene.processes.container_id(one.pid) == inside.container.id)
        user = next(own, None)
        lacking = [stem for stem in _NEEDED if not inside.has(f"{stem}.so")]
        if user and lacking:
            yield from _found(scene, inside, user, lacking)


def _uses_video(one: Process) -> bool:
    """True for what was started with NVIDIA's coders by name, or with ffmpeg's option for them."""
    words = [word.lower() for word in one.argv]
    by_option = any(left == "-hwaccel" and right in ("cuda", "nvdec") for left, right in pairwise(words))
    return by_option or any(mark in word for word in words[1:] for mark in _WORDS)


def _found(scene: Scene, inside: Inside, user: Process, lacking: list[str]) -> Iterator[Found]:
    command = Evidence(subject=f"/proc/{user.pid}/cmdline", field="command", value=" ".join(user.argv)[:200])
    missing = [one for one in scene.facts.missing if one.part in lacking]
    if not capabilities(inside.container) & {"all", "video"}:
        yield _not_granted(inside, command, lacking)
    elif missing:
        yield Found(
            cause=f"video is granted, and the host's driver has no {', '.join(one.part for one in missing)} to inject",
            evidence=(command, *(Evidence(subject=one.part, field="on the host", value=one.reason) for one in missing)),
            remedy=Remedy(
                text="install the driver's libraries for decoding and encoding on the host",
                commands=install(scene, "video"),
            ),
            about=inside.container.name,
            link="libraries",
        )


def _not_granted(inside: Inside, command: Evidence, lacking: list[str]) -> Found:
    return Found(
        cause=f"{CAPABILITIES} does not grant video, so {' and '.join(lacking)} are not in the container",
        evidence=(
            command,
            Evidence(
                subject=f"/proc/{inside.container.pid}/environ",
                field=CAPABILITIES,
                value=inside.container.env.get(CAPABILITIES, "") or "not set",
            ),
        ),
        remedy=Remedy(text=f"start it with -e {CAPABILITIES}=compute,utility,video"),
        about=inside.container.name,
    )


RULE = Rule(id="D-GRAPHICS-4", link="request", severity="error", look=_look)
