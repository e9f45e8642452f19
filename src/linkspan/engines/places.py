"""Where engines keep their configuration, and which files are read with it."""

import glob
import os
import stat
from collections.abc import Mapping
from types import ModuleType
from typing import Any, cast

import msgspec

from linkspan.engines import containerd, crio, docker, podman, rancher
from linkspan.engines.model import File, Rules, Tree, merged
from linkspan.errors import ConfigError, KernelError

NAMES = ("docker", "podman", "containerd", "crio", "k3s", "rke2")
DROP_IN = "zz-linkspan.conf"
"""Read last, also after NVIDIA's ``99-nvidia``."""
NVIDIAS_CRIO = "/etc/crio/crio.conf.d/99-nvidia.toml"
"""The drop-in that ``nvidia-ctk runtime configure`` writes for CRI-O."""
SNAP = "/var/snap/docker/current"
SIZE_LIMIT = 4 << 20


class Host(msgspec.Struct, frozen=True, kw_only=True):
    """Whose configuration it is; ``root`` stands before the paths of the system, for tests."""

    root: str = ""
    uid: int = 0
    env: Mapping[str, str] = {}

    @property
    def config_home(self) -> str:
        """The folder of this user's configuration."""
        return self.env.get("XDG_CONFIG_HOME") or f"{self.env.get('HOME', '')}/.config"

    @property
    def state_folder(self) -> str:
        """Where journals and backups are kept."""
        if self.uid == 0:
            return f"{self.root}/var/lib/linkspan/engines"
        return f"{self.env.get('XDG_STATE_HOME') or self.env.get('HOME', '') + '/.local/state'}/linkspan/engines"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The file to edit, and what else is read."""

    engine: str
    rules: Any
    asked: str
    """The file by the name it is known by; ``target`` is where links lead, or the file that overrules it."""
    target: str
    before: Tree = {}
    """What the files say that are read before the target."""
    after: tuple[tuple[str, Tree], ...] = ()
    """The files that are read after it."""
    beside: str | None = None
    """The folder for an unfinished file, where the engine reads every file of the target's."""

    @property
    def is_template(self) -> bool:
        """Whether a configuration is made from it at each start."""
        return self.asked.endswith(".tmpl")

    @property
    def of(self) -> Rules:
        """What this engine's module knows."""
        return cast("Rules", self.rules)


def read(path: str) -> File:
    """A file as it is; KernelError where it cannot be read, ConfigError where it is no text."""
    try:
        with open(path, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ConfigError(f"{path} is no regular file", subject=path)
            data = file.read(SIZE_LIMIT + 1)
    except FileNotFoundError:
        return File(path=path)
    except OSError as error:
        raise KernelError(f"cannot read {path}: {error.strerror}", subject=path) from None
    if len(data) > SIZE_LIMIT:
        raise ConfigError(f"{path} is larger than {SIZE_LIMIT >> 20} MiB", subject=path)
    return File(path=path, data=_text(data, path))


def _text(data: bytes, path: str) -> bytes:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        where = f"{path}:{line}"
        raise ConfigError(f"{where}: byte 0x{data[error.start]:02x} is not UTF-8", subject=where) from None
    return data


def default_path(engine: str, host: Host, running: Mapping[str, str]) -> str:
    """The file that an engine reads, or the drop-in for it; ``running`` has the file that a daemon was started with."""
    if engine in running:
        return running[engine]
    if engine == "docker":
        return _docker(host)
    if engine == "podman":
        folder = f"{host.config_home}/containers" if host.uid else f"{host.root}/etc/containers"
        return f"{folder}/containers.conf.d/{DROP_IN}"
    if engine in ("k3s", "rke2"):
        return _template(f"{host.root}/var/lib/rancher/{engine}/agent/etc/containerd")
    return (
        f"{host.root}/etc/crio/crio.conf.d/{DROP_IN}" if engine == "crio" else f"{host.root}/etc/containerd/config.toml"
    )


def _docker(host: Host) -> str:
    if host.uid:
        return f"{host.config_home}/docker/daemon.json"
    usual, snap = f"{host.root}/etc/docker/daemon.json", f"{host.root}{SNAP}/config/daemon.json"
    return snap if os.path.exists(snap) and not os.path.exists(usual) else usual


def _template(folder: str) -> str:
    """The template in use: the newer kind where it is there, or where the last rendering is of that version."""
    newer, older = f"{folder}/config-v3.toml.tmpl", f"{folder}/config.toml.tmpl"
    if os.path.exists(newer) or (not os.path.exists(older) and _rendered_version(folder) > 2):
        return newer
    return older


def _rendered_version(folder: str) -> int:
    text = read(f"{folder}/config.toml").text
    version = containerd.SYNTAX.parse(text, f"{folder}/config.toml").get("version", 2) if text else 2
    return version if isinstance(version, int) else 2


def locate(engine: str, asked: str, host: Host) -> Place:
    """The file to edit for an engine, given the file that was asked for."""
    target = os.path.realpath(asked)
    if asked.endswith(".tmpl"):
        return _rancher(engine, asked, target)
    if engine == "docker":
        return Place(engine=engine, rules=docker, asked=asked, target=target)
    if engine == "containerd":
        return Place(engine=engine, rules=containerd, asked=asked, target=_home(asked, target))
    if engine == "podman":
        return _among(
            Place(engine=engine, rules=podman, asked=asked, target=target), podman, _podman_files(asked, host)
        )
    place = Place(engine=engine, rules=crio, asked=asked, target=target, beside=_beside(target))
    return _among(place, crio, _crio_files(asked))


def _rancher(engine: str, asked: str, target: str) -> Place:
    folder = os.path.dirname(asked)
    text = read(f"{folder}/config.toml").text
    own = rancher.SYNTAX.parse(read(target).text)
    known = {**rancher.rendered(text, own), "version": 3 if "-v3." in os.path.basename(asked) else 2}
    return Place(engine=engine, rules=rancher, asked=asked, target=target, before=known)


def _home(asked: str, target: str) -> str:
    """The last file that configures the CRI plugin, of the main file and those it imports; else the main file."""
    home, pending, seen = target, [asked], set[str]()
    while pending:
        path = pending.pop(0)
        if path in seen:
            continue
        seen.add(path)
        tree = containerd.SYNTAX.parse(read(path).text.removeprefix("\ufeff"), path)
        if containerd.has_cri(tree):
            home = os.path.realpath(path)
        pending += [found for item in containerd.imports(tree) for found in _imported(item, os.path.dirname(path))]
    return home


def _imported(item: str, folder: str) -> list[str]:
    path = os.path.join(folder, item)
    # Dot files, too: containerd's patterns know no hidden files.
    return sorted(glob.glob(path, include_hidden=True)) if "*" in path else [path]


def _among(place: Place, rules: ModuleType, paths: list[str]) -> Place:
    """The place with what the files say that are read before and after it."""
    if place.asked not in paths:
        return place
    number = paths.index(place.asked)
    before: Tree = {}
    for path in paths[:number]:
        before = merged(before, _tree(rules, path))
    after = tuple((path, _tree(rules, path)) for path in paths[number + 1 :])
    return msgspec.structs.replace(place, before=before, after=after)


def _tree(rules: ModuleType, path: str) -> Tree:
    return cast("Tree", rules.SYNTAX.parse(read(path).text.removeprefix("\ufeff"), path))


def _podman_files(asked: str, host: Host) -> list[str]:
    """All files that Podman reads, in its order."""
    folders = [f"{host.root}/etc/containers"] + ([f"{host.config_home}/containers"] if host.uid else [])
    paths = [f"{host.root}/usr/share/containers/containers.conf"]
    for folder in folders:
        paths += [f"{folder}/containers.conf", *_drop_ins(f"{folder}/containers.conf.d", asked, ".conf")]
    return paths


def _crio_files(asked: str) -> list[str]:
    """All files that CRI-O reads, in its order: of the drop-in folder every one, whatever its name."""
    folder = os.path.dirname(asked)
    if not folder.endswith(".d"):
        return [asked, *_drop_ins(f"{folder}/crio.conf.d", asked)]
    return [f"{os.path.dirname(folder)}/crio.conf", *_drop_ins(folder, asked)]


def _drop_ins(folder: str, asked: str, ending: str = "") -> list[str]:
    try:
        names = {name for name in os.listdir(folder) if name.endswith(ending)}
    except FileNotFoundError:
        names = set()
    except OSError as error:
        raise KernelError(f"cannot read {folder}: {error.strerror}", subject=folder) from None
    if os.path.dirname(asked) == folder:
        names.add(os.path.basename(asked))
    return [path for path in (f"{folder}/{name}" for name in sorted(names)) if not os.path.isdir(path)]


def _beside(target: str) -> str | None:
    """The folder above a drop-in folder, if a file can be moved from there into it."""
    folder = os.path.dirname(target)
    above = os.path.dirname(folder)
    try:
        return above if folder.endswith(".d") and os.stat(above).st_dev == os.stat(folder).st_dev else None
    except OSError:
        return above if folder.endswith(".d") else None
