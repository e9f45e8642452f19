"""Container engines as they stand on a host: the daemon that runs, and what its files say, read with its own eyes."""

import posixpath
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import msgspec

from linkspan.check.eyes import Eyes
from linkspan.check.processes import Process, Processes
from linkspan.engines import containerd, crio, docker, podman
from linkspan.engines.daemon import CONFIG_FLAGS
from linkspan.engines.model import Tree, View, merged
from linkspan.errors import ConfigError
from linkspan.facts.host import glob
from linkspan.formats import versions

RULES: dict[str, ModuleType] = {"docker": docker, "podman": podman, "containerd": containerd, "crio": crio}
PROGRAMS = {"docker": "dockerd", "podman": "podman", "containerd": "containerd", "crio": "crio"}
PACKAGES = {
    "docker": ("docker-ce", "docker.io", "moby-engine", "docker"),
    "podman": ("podman",),
    "containerd": ("containerd.io", "containerd", "moby-containerd"),
    "crio": ("cri-o",),
}
FILES = {
    "docker": "/etc/docker/daemon.json",
    "podman": "/etc/containers/containers.conf",
    "containerd": "/etc/containerd/config.toml",
    "crio": "/etc/crio/crio.conf",
}
SNAP_FILE = "/var/snap/docker/current/config/daemon.json"
RANCHER = {"k3s": "/var/lib/rancher/k3s", "rke2": "/var/lib/rancher/rke2"}
FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/run/current-system/sw/bin")
USUAL_PATH = ":".join(FOLDERS)


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration file: its text, when it was changed (seconds since 1970), and why it cannot be read, if so."""

    path: str
    text: str
    changed: float
    problem: str = ""


class Engine(msgspec.Struct, frozen=True, kw_only=True):
    """An engine of this host.

    ``process`` is None where no daemon runs (Podman has none). ``files`` are all that it reads, in its order, ``tree``
    what they say together. ``path`` is the PATH of the daemon. ``rancher`` is ``k3s`` or ``rke2`` where that starts it.
    """

    kind: str
    title: str
    process: Process | None
    config: str
    files: tuple[File, ...]
    tree: dict[str, Any]
    path: str
    version: tuple[int, ...] = ()
    rancher: str = ""
    snap: bool = False

    @property
    def view(self) -> View:
        """What the files say of runtimes; an empty view where they cannot be followed."""
        try:
            view: View = RULES[self.kind].view(self.tree)
        except ConfigError:
            return View()
        return view

    @property
    def problem(self) -> str:
        """Why the engine cannot read its files, empty where it can."""
        return next((file.problem for file in self.files if file.problem), "")

    @property
    def rootless(self) -> bool:
        """True for the daemon of a user."""
        return self.process is not None and self.process.uid != 0

    def changed_since_start(self) -> list[File]:
        """The files that are newer than the daemon that should have read them."""
        if self.process is None:
            return []
        return [file for file in self.files if file.changed > self.process.started]


def engines(eyes: Eyes, processes: Processes, packages: dict[str, str]) -> tuple[Engine, ...]:
    """The engines of a host: those that run, then those that are installed and do not."""
    found = [_running(eyes, processes, packages, kind, one) for kind, one in _daemons(processes)]
    kinds = {engine.kind for engine in found}
    idle = [kind for kind in RULES if kind not in kinds and find_program(eyes, USUAL_PATH, PROGRAMS[kind])]
    return (*found, *(_idle(eyes, packages, kind) for kind in idle if not _is_dockers(kind, kinds, idle)))


def _is_dockers(kind: str, running: set[str], idle: list[str]) -> bool:
    """Containerd that was only installed as a part of Docker."""
    return kind == "containerd" and ("docker" in running or "docker" in idle)


def _daemons(processes: Processes) -> Iterator[tuple[str, Process]]:
    for kind, program in PROGRAMS.items():
        for one in processes.named(program):
            if kind != "podman" and not _only_serves_docker(kind, one, processes):
                yield kind, one


def _only_serves_docker(kind: str, one: Process, processes: Processes) -> bool:
    """A containerd that dockerd started for itself, or that no kubelet uses beside a dockerd."""
    if kind != "containerd":
        return False
    parent = processes.all.get(one.parent)
    if parent is not None and parent.name == "dockerd":
        return True
    return bool(processes.named("dockerd")) and not processes.named("kubelet", "nerdctl", "k3s", "rke2")


def find_program(eyes: Eyes, path: str, name: str) -> str:
    """The first program of this name on a PATH, empty where there is none that may be executed."""
    for folder in path.split(":"):
        place = posixpath.join(folder, name)
        found = eyes.follow(place) if folder.startswith("/") else None
        if found and found.kind == "file" and found.mode & 0o111:
            return place
    return ""


def sight(eyes: Eyes, processes: Processes, process: Process | None) -> Eyes:
    """Where a daemon's paths lead: into its own root, if its mount namespace is another than the host's."""
    if process is None or processes.namespace(process.pid) == processes.namespace(1):
        return eyes
    return eyes.below(f"/proc/{process.pid}/root")


def _running(eyes: Eyes, processes: Processes, packages: dict[str, str], kind: str, one: Process) -> Engine:
    snap = processes.exe(one.pid).startswith("/snap/")
    rancher = _rancher(processes, one)
    own = sight(eyes, processes, one)
    config = _flag(kind, one) or _default(kind, one, processes, rancher, snap=snap)
    files, tree = _read(own, kind, config)
    return Engine(
        kind=kind,
        title=RULES[kind].TITLE,
        process=one,
        config=config,
        files=files,
        tree=tree,
        path=processes.environ(one.pid).get("PATH", USUAL_PATH),
        version=_version(packages, kind),
        rancher=rancher,
        snap=snap,
    )


def _idle(eyes: Eyes, packages: dict[str, str], kind: str) -> Engine:
    config = FILES[kind]
    files, tree = _read(eyes, kind, config)
    version = _version(packages, kind)
    title = RULES[kind].TITLE
    return Engine(
        kind=kind, title=title, process=None, config=config, files=files, tree=tree, path=USUAL_PATH, version=version
    )


def _flag(kind: str, one: Process) -> str:
    for flag in CONFIG_FLAGS.get(kind, ()):
        for word, after in zip(one.argv, (*one.argv[1:], ""), strict=True):
            if word == flag:
                return after
            if word.startswith(f"{flag}="):
                return word.partition("=")[2]
    return ""


def _rancher(processes: Processes, one: Process) -> str:
    parent = processes.all.get(one.parent)
    return parent.name if parent is not None and parent.name in RANCHER else ""


def _default(kind: str, one: Process, processes: Processes, rancher: str, *, snap: bool) -> str:
    if rancher:
        return f"{RANCHER[rancher]}/agent/etc/containerd/config.toml"
    if kind == "docker" and snap:
        return SNAP_FILE
    if kind == "docker" and one.uid:
        env = processes.environ(one.pid)
        return f"{env.get('XDG_CONFIG_HOME') or env.get('HOME', '') + '/.config'}/docker/daemon.json"
    return FILES[kind]


def _version(packages: dict[str, str], kind: str) -> tuple[int, ...]:
    text = next((packages[name] for name in PACKAGES[kind] if name in packages), "")
    number = text.partition("-")[0].partition("+")[0].partition("~")[0]
    return versions.parse(number) or ()


def _read(eyes: Eyes, kind: str, config: str) -> tuple[tuple[File, ...], dict[str, Any]]:
    """All files of an engine in its order, and what they say together."""
    found: dict[str, File] = {}
    whole: dict[str, Any] = {}
    pending = [config, *_more(eyes, kind, config)]
    while pending:
        path = pending.pop(0)
        read = None if path in found else _file(eyes, kind, path)
        if read is not None:
            found[path], tree = read
            whole = merged(whole, tree)
            if kind == "containerd":
                pending = [name for item in containerd.imports(tree) for name in _matches(eyes, path, item)] + pending
    return tuple(found.values()), whole


def _more(eyes: Eyes, kind: str, config: str) -> list[str]:
    folder = {"podman": f"{config}.d", "crio": f"{posixpath.dirname(config)}/crio.conf.d"}.get(kind, "")
    return [f"{folder}/{name}" for name in eyes.names(folder)] if folder else []


def _matches(eyes: Eyes, path: str, item: str) -> list[str]:
    return glob(eyes, posixpath.normpath(posixpath.join(posixpath.dirname(path), item)))


def _file(eyes: Eyes, kind: str, path: str) -> tuple[File, Tree] | None:
    text = eyes.text(path)
    found = eyes.follow(path)
    if text is None or found is None:
        return None
    changed = found.mtime_ns / 1e9
    try:
        tree: Tree = RULES[kind].SYNTAX.parse(text, path)
    except ConfigError as error:
        return File(path=path, text=text, changed=changed, problem=error.message), {}
    return File(path=path, text=text, changed=changed), tree
