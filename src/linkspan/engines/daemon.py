"""Engines as they run: found, asked, restarted."""

import contextlib
import http.client
import itertools
import json
import os
import re
import shutil
import tomllib
from typing import Any

import msgspec

from linkspan.engines import containerd, crio, unix_http
from linkspan.engines.model import Activation, Wanted, table
from linkspan.engines.places import Host, Place
from linkspan.errors import ConfigError, KernelError, LinkspanError
from linkspan.kernel import process

TIME_S = 30
RESTART_TIME_S = 300
CONFIG_FLAGS = {"docker": ("--config-file",), "containerd": ("--config", "-c")}
PROGRAMS = {"docker": "dockerd", "containerd": "containerd", "crio": "crio"}


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """A daemon that runs: its command line, and when it started in seconds since 1970."""

    pid: int
    argv: tuple[str, ...]
    started: float


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine says that it has; ``silence`` is the reason where it says nothing."""

    source: str = ""
    silence: str = ""
    version: str = ""
    runtimes: dict[str, str] = {}
    default_runtime: str = ""
    cdi: bool | None = None


def find(engine: str, host: Host) -> Running | None:
    """The engine's daemon in our own mount namespace, by its name; a container's, or another user's, is not it."""
    program = PROGRAMS.get(engine)
    proc = f"{host.root}/proc"
    for name in sorted(os.listdir(proc)) if program and os.path.isdir(proc) else []:
        if name.isdigit() and (found := _running(proc, name, str(program), host.uid)):
            return found
    return None


def _running(proc: str, name: str, program: str, uid: int) -> Running | None:
    try:
        with open(f"{proc}/{name}/cmdline", "rb") as file:
            argv = tuple(os.fsdecode(word) for word in file.read().split(b"\0")[:-1])
        if not argv or os.path.basename(argv[0]) != program or os.stat(f"{proc}/{name}").st_uid != uid:
            return None
        if uid == 0 and os.readlink(f"{proc}/{name}/ns/mnt") != os.readlink(f"{proc}/self/ns/mnt"):
            return None
        return Running(pid=int(name), argv=argv, started=_started(proc, name))
    except OSError:
        return None  # it ended meanwhile, or is hidden from us


def _started(proc: str, name: str) -> float:
    """When a process began: ticks after boot, the 22nd field, after a name that may have blanks."""
    with open(f"{proc}/{name}/stat", encoding="utf-8", errors="replace") as file:
        ticks = int(file.read().rpartition(")")[2].split()[19])
    with open(f"{proc}/stat", encoding="ascii") as file:
        boot = re.search(r"^btime (\d+)", file.read(), re.MULTILINE)
    return (int(boot[1]) if boot else 0) + ticks / os.sysconf("SC_CLK_TCK")


def config_file(engine: str, running: Running | None) -> str:
    """The configuration file that a daemon was started with, empty where it was not told."""
    if running is None:
        return ""
    values = (value for flag in CONFIG_FLAGS.get(engine, ()) for value in _flag(running.argv, flag))
    return next((value for value in values if value.startswith("/")), "")


def _flag(argv: tuple[str, ...], flag: str) -> list[str]:
    """The values of a flag, given as ``--flag value`` or ``--flag=value``."""
    joined = [word.partition("=")[2] for word in argv if word.startswith(f"{flag}=")]
    return joined + [after for word, after in itertools.pairwise(argv) if word == flag]


def refuse_twice_said(engine: str, running: Running | None, wanted: Wanted) -> None:
    """Docker does not start where a setting is both in its command line and in its file."""
    if engine != "docker" or running is None:
        return
    for flag, needed in (("--add-runtime", True), ("--default-runtime", wanted.default)):
        if needed and _flag(running.argv, flag):
            raise ConfigError(
                f"dockerd runs with {flag}, and does not start where the file says something of that, too",
                hint=f"move what {flag} says from the unit of dockerd to its daemon.json first",
            )


def version(place: Place, host: Host) -> tuple[int, ...]:
    """The version of the engine's program, empty where there is none on PATH or it does not say."""
    program = shutil.which(place.of.PROGRAM, path=host.env.get("PATH", "")) if place.of.PROGRAM else None
    if program is None:
        return ()
    try:
        said = process.run([program, "--version"], env=host.env, timeout_s=TIME_S).stdout
    except LinkspanError:
        return ()
    # Not the digit of containerd's import path, "containerd/v2".
    numbers = re.search(r"(?<![\w.])v?(\d+)\.(\d+)(?:\.(\d+))?", said)
    return tuple(int(part) for part in numbers.groups() if part) if numbers else ()


def activate(place: Place, needed: Activation, running: Running | None, host: Host) -> str:
    """Have the daemon take the edit up; a sentence on what was done. ConfigError where it has to be done by hand."""
    systemctl = shutil.which("systemctl", path=host.env.get("PATH", ""))
    if not systemctl or not os.path.isdir(f"{host.root}/run/systemd/system"):
        raise ConfigError(
            f"systemd does not run here, so {place.of.TITLE} was not told", hint=by_hand(place, needed, running)
        )
    scope = ["--user"] if host.uid else []
    for unit in _units(place):
        if process.run([systemctl, *scope, "is-active", unit], env=host.env, timeout_s=TIME_S, check=False).code == 0:
            _tell([systemctl, *scope, needed, unit], place, host)
            return f"told {unit} to {needed}"
    return f"{place.of.TITLE} does not run, and reads its configuration when it is started"


def _tell(command: list[str], place: Place, host: Host) -> None:
    try:
        process.run(command, env=host.env, timeout_s=RESTART_TIME_S)
    except KernelError as error:
        hint = f"'linkspan engine unconfigure {place.engine}' takes the edit back"
        raise KernelError(error.message, hint=hint, subject=error.subject) from None


def _units(place: Place) -> tuple[str, ...]:
    if place.target.startswith("/var/snap/docker/"):
        return ("snap.docker.dockerd",)
    return tuple(unit for unit in place.of.UNITS if unit.startswith(place.engine) or not place.is_template)


def by_hand(place: Place, needed: Activation, running: Running | None) -> str:
    """What to do so that the edit is taken up."""
    if needed == "reload" and running:
        return f"reload it: kill -HUP {running.pid}"
    return f"{needed} {place.engine} by the means of this system"


def ask(place: Place, host: Host) -> Answer:
    """What the engine itself says."""
    if place.engine == "docker":
        return _ask_docker(host)
    if place.engine == "podman":
        return _ask_podman(host)
    if place.engine == "crio":
        return _ask_crio(host)
    return _ask_containerd(place, host)


def _ask_docker(host: Host) -> Answer:
    named = host.env.get("DOCKER_HOST", "")
    if named and not named.startswith("unix://"):
        return Answer(silence=f"DOCKER_HOST is {named}, and only a socket of this host is asked")
    own = f"{host.runtime_home if host.uid else f'{host.root}/run'}/docker.sock"
    path = named.removeprefix("unix://") or own
    try:
        with contextlib.closing(unix_http.Connection(path, TIME_S)) as connection:
            connection.request("GET", "/info")
            said = json.loads(connection.getresponse().read())
    except (OSError, ValueError, http.client.HTTPException) as error:
        return Answer(silence=f"Docker does not answer at {path}: {getattr(error, 'strerror', None) or error}")
    return _docker_answer(said, path)


def _docker_answer(said: Any, path: str) -> Answer:
    runtimes = {
        name: str(entry.get("path") or entry.get("runtimeType") or "")
        for name, entry in table(said, "Runtimes").items()
    }
    folders = said.get("CDISpecDirs")
    return Answer(
        source=f"the daemon at {path}",
        version=str(said.get("ServerVersion", "")),
        runtimes=runtimes,
        default_runtime=str(said.get("DefaultRuntime", "")),
        cdi=bool(folders) if isinstance(folders, list) else None,
    )


def _output(host: Host, *argv: str) -> str:
    """What a program prints; LinkspanError where it is not there or fails."""
    program = shutil.which(argv[0], path=host.env.get("PATH", ""))
    if program is None:
        raise ConfigError(f"there is no {argv[0]} on PATH")
    return process.run([program, *argv[1:]], env=host.env, timeout_s=TIME_S).stdout


def _ask_podman(host: Host) -> Answer:
    try:
        said = json.loads(_output(host, "podman", "info", "--format", "json"))
    except (LinkspanError, ValueError) as error:
        return Answer(silence=f"podman cannot be asked: {_cause(error)}")
    runtime = table(said, "host", "ociRuntime")
    name = str(runtime.get("name", ""))
    return Answer(
        source="podman info",
        version=str(table(said, "version").get("Version", "")),
        runtimes={name: str(runtime.get("path", ""))} if name else {},
        default_runtime=name,
    )


def _ask_crio(host: Host) -> Answer:
    try:
        view = crio.view(tomllib.loads(_output(host, "crio", "status", "config")))
    except (LinkspanError, ValueError) as error:
        return Answer(silence=f"CRI-O cannot be asked: {_cause(error)}")
    return Answer(source="crio status config", runtimes=view.runtimes, default_runtime=view.default, cdi=True)


def _ask_containerd(place: Place, host: Host) -> Answer:
    """By the CRI socket where there is a client for it; else what the files amount to, which is said."""
    try:
        return _cri_answer(json.loads(_output(host, "crictl", "info")))
    except (LinkspanError, ValueError) as error:
        cause = _cause(error)
    if place.is_template:
        return Answer(silence=f"containerd cannot be asked: {cause}")
    try:
        view = containerd.view(tomllib.loads(_output(host, "containerd", "--config", place.asked, "config", "dump")))
    except (LinkspanError, ValueError) as error:
        return Answer(silence=f"containerd cannot be asked: {cause}, and {_cause(error)}")
    source = f"containerd config dump, from the files, not from the daemon ({cause})"
    return Answer(source=source, runtimes=view.runtimes, default_runtime=view.default, cdi=view.cdi)


def _cri_answer(said: Any) -> Answer:
    entries = table(said, "config", "containerd", "runtimes")
    if not entries:
        raise ConfigError("crictl's answer names no runtimes")
    switch = table(said, "config").get("enableCDI")
    return Answer(
        source="crictl info",
        runtimes={name: _cri_program(entry) for name, entry in entries.items()},
        default_runtime=str(table(said, "config", "containerd").get("defaultRuntimeName", "")),
        cdi=switch if isinstance(switch, bool) else None,
    )


def _cri_program(entry: Any) -> str:
    """The program of a runtime, its shim where it has the usual one."""
    return (
        str(table(entry, "options").get("BinaryName") or entry.get("runtimeType") or "")
        if isinstance(entry, dict)
        else ""
    )


def _cause(error: Exception) -> str:
    return error.message if isinstance(error, LinkspanError) else str(error)
