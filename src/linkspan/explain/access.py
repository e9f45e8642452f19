"""Which devices a container may open: the rules of its cgroup, asked of the kernel where that shows them."""

import os
from typing import Any, Literal

import msgspec

from linkspan.check.eyes import Replay
from linkspan.check.scene import Scene
from linkspan.errors import FormatError
from linkspan.facts.model import Model
from linkspan.formats import cgroups, devicebpf
from linkspan.kernel import bpf

Source = Literal["devices.list", "BPF program", "config.json", "nothing"]


class Rules(Model, frozen=True, kw_only=True):
    """The device rules of a container.

    ``source`` is where they were read: ``config.json`` says only what the runtime was told, and what a hook allowed
    afterwards is not in it. ``lines`` are for people. ``programs`` are those of cgroups of version 2.
    """

    source: Source
    place: str = ""
    lines: tuple[str, ...] = ()
    programs: tuple[bytes, ...] = ()

    def allows(self, type_: str, major: int, minor: int, access: str = "rw") -> bool | None:
        """Whether a device may be opened so; None where that is not known."""
        if self.source == "BPF program":
            try:
                return all(devicebpf.allows(program, type_, major, minor, access) for program in self.programs)
            except FormatError:
                return None
        if self.source == "nothing":
            return None
        return _by_lines(self.lines, type_, major, minor, access)


def rules(scene: Scene, pid: int, config: dict[str, Any], monitor: int = 0) -> Rules:
    """The rules of the cgroup that a process is in, looked for where the host or the ``monitor`` has cgroups."""
    for other in dict.fromkeys((1, monitor or 1) if pid else ()):
        for version, path in _places(scene, pid, other):
            place = f"/proc/{other}/root{path}"
            found = _of_version_1(scene, place) if version == 1 else _of_version_2(scene, place)
            if found:
                return msgspec.structs.replace(found, place=path)
    return _of_config(config)


def _places(scene: Scene, pid: int, other: int) -> list[tuple[int, str]]:
    cgroup = (scene.eyes.text(f"/proc/{pid}/cgroup") or "").encode()
    mountinfo = (scene.eyes.text(f"/proc/{other}/mountinfo") or "").encode()
    return list(cgroups.device_cgroups(cgroup, mountinfo))


def _of_version_1(scene: Scene, path: str) -> Rules | None:
    folder, _, _ = path.partition("/root/")
    text = scene.eyes.below(f"{folder}/root").text(f"{path.removeprefix(f'{folder}/root')}/devices.list")
    return None if text is None else Rules(source="devices.list", place=path, lines=tuple(text.splitlines()))


def _of_version_2(scene: Scene, path: str) -> Rules | None:
    if isinstance(scene.eyes._host, Replay) or not os.path.isdir(scene.eyes.root + path):
        return None
    try:
        descriptor = os.open(scene.eyes.root + path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        programs = tuple(bpf.programs(descriptor))
    except OSError:
        return None
    finally:
        os.close(descriptor)
    words = ("no program confines devices",) if not programs else (f"{len(programs)} device programs",)
    return Rules(source="BPF program", place=path, lines=words, programs=programs)


def _of_config(config: dict[str, Any]) -> Rules:
    linux = config.get("linux")
    resources = linux.get("resources") if isinstance(linux, dict) else None
    found = resources.get("devices") if isinstance(resources, dict) else None
    if not isinstance(found, list):
        return Rules(source="nothing")
    lines = tuple(_line(rule) for rule in found if isinstance(rule, dict))
    return Rules(source="config.json", place="linux.resources.devices", lines=lines)


def _line(rule: dict[str, Any]) -> str:
    def number(key: str) -> str:
        value = rule.get(key)
        return "*" if value is None or value == -1 else str(value)

    text = f"{rule.get('type') or 'a'} {number('major')}:{number('minor')} {rule.get('access') or 'rwm'}"
    return text if rule.get("allow") else f"deny {text}"


def _by_lines(lines: tuple[str, ...], type_: str, major: int, minor: int, access: str) -> bool:
    """The rules in their order, of which the last that fits decides; nothing is allowed at first."""
    allowed: set[str] = set()
    for line in lines:
        words = line.removeprefix("deny ").split()
        if len(words) == 3 and _fits(words, type_, major, minor):
            letters = set(words[2])
            allowed = allowed - letters if line.startswith("deny ") else allowed | letters
    return set(access) <= allowed


def _fits(words: list[str], type_: str, major: int, minor: int) -> bool:
    first, _, second = words[1].partition(":")
    return words[0] in ("a", type_) and first in ("*", str(major)) and second in ("*", str(minor))
