"""A container from create to delete, by the OCI runtime that an engine would call, verb by verb."""

import contextlib
import json
import os
import select
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from linkspan.demo import rootfs
from linkspan.demo.scenes import Injected, Mount
from linkspan.errors import HostError, KernelError
from linkspan.kernel import process
from linkspan.kernel.signals import held_back

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
VERB_S, RUN_S = 30.0, 30.0
# Docker's default set: what an ordinary container may do. It may make device nodes; opening them is another matter.
CAPABILITIES = (
    *("CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_MKNOD"),
    *(
        "CAP_NET_BIND_SERVICE",
        "CAP_NET_RAW",
        "CAP_SETFCAP",
        "CAP_SETGID",
        "CAP_SETPCAP",
        "CAP_SETUID",
        "CAP_SYS_CHROOT",
    ),
)
MOUNTS = (
    {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=65536k"]},
    {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
)
# The verb's output goes to a file: a pipe would stay open for as long as the container lives.
TO_FILE = ["/bin/sh", "-c", 'out=$1; shift; exec "$@" >"$out" 2>&1', "sh"]


class Runtime(msgspec.Struct, frozen=True, kw_only=True):
    """An OCI runtime, the folder for its state, and the environment that an engine would give it."""

    program: str
    state: str
    env: dict[str, str]


class Container:
    """One container below a folder of its own: ``config.json``, ``rootfs`` and what it printed."""

    def __init__(self, runtime: Runtime, folder: str, name: str) -> None:
        self._runtime, self._folder, self._name = runtime, folder, name
        self._rootfs = f"{folder}/rootfs"
        self._config: dict[str, Any] = {}
        self._files: dict[str, str] = {}

    def prepare(self, command: Sequence[str], env: Sequence[str]) -> None:
        """Make the bundle: what an engine would have made of an image and a command line."""
        os.mkdir(self._folder)
        rootfs.make(self._rootfs)
        self._config = _config(self._name, command, env)
        self._files = _files(self._rootfs)
        with open(f"{self._folder}/config.json", "w", encoding="utf-8") as file:
            json.dump(self._config, file)

    @contextlib.contextmanager
    def created(self) -> Iterator[None]:
        """Have the container created; whatever happens then, it is deleted at the end."""
        try:
            with held_back():
                self._verb("create", "--bundle", self._folder, "--pid-file", f"{self._folder}/pid")
            yield
        finally:
            with held_back(), contextlib.suppress(KernelError):
                self._verb("delete", "--force")

    def injected(self) -> Injected:
        """What the runtime added to the bundle and to the root filesystem."""
        with open(f"{self._folder}/config.json", encoding="utf-8") as file:
            after = json.load(file)
        mounts = [mount for mount in after["mounts"] if mount not in self._config["mounts"]]
        destinations = {os.path.realpath(self._rootfs + mount["destination"]) for mount in mounts}
        new = {path: target for path, target in _files(self._rootfs).items() if self._files.get(path) != target}
        return Injected(
            devices=tuple(node["path"] for node in after["linux"].get("devices", [])),
            mounts=tuple(Mount(source=mount["source"], destination=mount["destination"]) for mount in mounts),
            env=tuple(entry for entry in after["process"]["env"] if entry not in self._config["process"]["env"]),
            hooks=sum(map(len, after.get("hooks", {}).values())),
            links={path: target for path, target in new.items() if target},
            files=tuple(path for path, target in new.items() if not target and self._rootfs + path not in destinations),
        )

    def run(self) -> str:
        """Start it, wait for its end, and return what it printed."""
        with open(f"{self._folder}/pid", encoding="ascii") as file:
            descriptor = os.pidfd_open(int(file.read()))
        try:
            with held_back():
                self._verb("start")
            waiting = select.poll()
            waiting.register(descriptor, select.POLLIN)
            if not waiting.poll(RUN_S * 1000):
                raise KernelError(f"the container did not end within {RUN_S:g} seconds", subject=self._name)
        finally:
            os.close(descriptor)
        return self._printed("create")

    def _verb(self, verb: str, *arguments: str) -> None:
        command = [self._runtime.program, "--root", self._runtime.state, verb, *arguments, self._name]
        done = process.run(
            [*TO_FILE, self._output(verb), *command], env=self._runtime.env, timeout_s=VERB_S, check=False
        )
        if done.code:
            raise _refusal(self._printed(verb))

    def _output(self, verb: str) -> str:
        return f"{self._folder}/{verb}.out"

    def _printed(self, verb: str) -> str:
        with open(self._output(verb), encoding="utf-8", errors="replace") as file:
            return file.read()


def _refusal(words: str) -> HostError:
    """Why a container was not started, with the last words of whoever refused."""
    last = (words.strip().splitlines() or ["the runtime gave no reason"])[-1]
    hint = "cgroups have to be mounted at /sys/fs/cgroup, writable" if "cgroup" in last else ""
    return HostError(f"no container can be started here: {last}", hint=hint)


def _config(name: str, command: Sequence[str], env: Sequence[str]) -> dict[str, Any]:
    return {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": 0, "gid": 0},
            "args": list(command),
            "env": [PATH, *env],
            "cwd": "/",
            "capabilities": {kind: list(CAPABILITIES) for kind in ("bounding", "effective", "permitted")},
        },
        "root": {"path": "rootfs"},
        "hostname": "demo",
        "mounts": list(MOUNTS),
        "linux": {
            "namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")],
            "cgroupsPath": f"/{name}",
            # No device but the few that every container has; what is injected comes with rules of its own.
            "resources": {"devices": [{"allow": False, "access": "rwm"}]},
        },
    }


def _files(root: str) -> dict[str, str]:
    """Every file and link below a root, links with their target."""
    found = {}
    for folder, folders, names in os.walk(root):
        for name in (*folders, *names):
            path = os.path.join(folder, name)
            if os.path.islink(path):
                found[path.removeprefix(root)] = os.readlink(path)
            elif name in names:
                found[path.removeprefix(root)] = ""
    return found
