"""Real containers for tests: a bundle as engines write it, and its life from create to delete under a real runtime.

Nothing of the machine's own containers is touched: the runtime keeps its state below the bundle's folder, cgroups have
names of their own, every wait has an end, and what was started is killed and deleted whatever happens.
"""

import contextlib
import ctypes
import dataclasses
import functools
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from typing import Any, Self

from tests import mounts
from tests.debian import UnavailableError
from tests.folders import open_folder

PR_SET_CHILD_SUBREAPER = 36
WAIT_S = 30.0

# Docker's default set: what an ordinary container may do.
CAPABILITIES = [
    f"CAP_{name}"
    for name in [
        "CHOWN",
        "DAC_OVERRIDE",
        "FSETID",
        "FOWNER",
        "MKNOD",
        "NET_RAW",
        "SETGID",
        "SETUID",
        "SETFCAP",
        "SETPCAP",
        "NET_BIND_SERVICE",
        "SYS_CHROOT",
        "KILL",
        "AUDIT_WRITE",
    ]
]


def _allow(kind: str, major: int | None, minor: int | None, access: str) -> dict[str, Any]:
    rule: dict[str, Any] = {"allow": True, "type": kind, "access": access}
    return {**rule, **{key: value for key, value in (("major", major), ("minor", minor)) if value is not None}}


# Docker's device rules: any node may be made, few may be opened.
DEVICE_RULES = [
    {"allow": False, "access": "rwm"},
    _allow("c", None, None, "m"),
    _allow("b", None, None, "m"),
    *(_allow("c", 1, minor, "rwm") for minor in (3, 5, 7, 8, 9)),
    *(_allow("c", 5, minor, "rwm") for minor in (0, 2)),
    _allow("c", 136, None, "rwm"),
]

MOUNTS: list[dict[str, Any]] = [
    {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=65536k"]},
    {
        "destination": "/dev/pts",
        "type": "devpts",
        "source": "devpts",
        "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
    },
    {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
]

HOST_ID_OF_ROOT = 100000
"""Who root of a container in a user namespace is outside of it."""
USER_MAPPING = [{"containerID": 0, "hostID": HOST_ID_OF_ROOT, "size": 65536}]


class Bundle:
    """A bundle folder; ``config`` is its config.json to be, in the shape that Docker gives it."""

    def __init__(self, folder: str, root: str, command: Sequence[str] = ("/bin/true",)) -> None:
        self.folder = folder
        self.id = f"linkspan-test-{uuid.uuid4().hex[:12]}"
        self.config: dict[str, Any] = {
            "ociVersion": "1.0.2",
            "process": {
                "user": {"uid": 0, "gid": 0},
                "args": list(command),
                "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
                "cwd": "/",
                "capabilities": dict.fromkeys(("bounding", "effective", "permitted"), CAPABILITIES),
                "noNewPrivileges": False,
            },
            "root": {"path": root, "readonly": False},
            "hostname": "test",
            "mounts": list(MOUNTS),
            "linux": {
                "namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")],
                "cgroupsPath": f"/{self.id}",
                "resources": {"devices": list(DEVICE_RULES)},
                "maskedPaths": ["/proc/kcore", "/proc/keys"],
                "readonlyPaths": ["/proc/sys"],
            },
        }

    @property
    def path(self) -> str:
        """The file that the runtime reads."""
        return f"{self.folder}/config.json"

    def env(self, *entries: str) -> Self:
        """Add variables to the container's environment."""
        self.config["process"]["env"] += entries
        return self

    def mount(self, source: str, destination: str, *options: str) -> Self:
        """Bind-mount a file or folder of the host."""
        entry = {"destination": destination, "source": source, "type": "bind", "options": ["bind", *options]}
        self.config["mounts"].append(entry)
        return self

    def read_only(self) -> Self:
        """The container sees its root read-only, as with ``docker run --read-only``."""
        self.config["root"]["readonly"] = True
        return self

    def host_proc(self) -> Self:
        """The container sees our own /proc, with what tests mount there (``mounts.driver_proc_of``)."""
        self.config["mounts"] = [entry for entry in self.config["mounts"] if entry["destination"] != "/proc"]
        return self.mount("/proc", "/proc", "rbind", "rprivate")

    def privileged(self) -> Self:
        """The process may do what root may, as far as mounts are concerned."""
        sets = self.config["process"]["capabilities"]
        sets.update({name: [*held, "CAP_SYS_ADMIN"] for name, held in sets.items()})
        return self

    def user_namespace(self) -> Self:
        """Root in the container is nobody outside; such a container cannot make nodes, and mounts no sysfs."""
        if subprocess.run(["unshare", "-U", "true"], capture_output=True, timeout=20, check=False).returncode:
            raise UnavailableError("no user namespace can be made here (in a chroot the kernel never lets one)")
        linux = self.config["linux"]
        linux["namespaces"].append({"type": "user"})
        linux["uidMappings"] = linux["gidMappings"] = USER_MAPPING
        return self

    def write(self) -> Self:
        """Write config.json."""
        with open(self.path, "w", encoding="utf-8") as file:
            json.dump(self.config, file)
        return self


@contextlib.contextmanager
def new_bundle(root: str, *command: str) -> Iterator[Bundle]:
    """A bundle in a folder of its own, which the container's ids of a user namespace can reach."""
    with open_folder("bundle") as folder:
        yield Bundle(folder, root, command)


@dataclasses.dataclass(frozen=True)
class Runtime:
    """A low-level runtime, and a shell line that shapes the mount namespace in which it is to run."""

    name: str
    program: str
    shape: str = ""

    def __str__(self) -> str:
        """For test ids."""
        return self.name

    @property
    def prefix(self) -> list[str]:
        """The command that runs another one in the shaped namespace."""
        return ["unshare", "-m", "sh", "-c", f'{self.shape} && exec "$@"', "sh"] if self.shape else []


RUNC_V1 = Runtime("runc-v1", "runc")
RUNC_V2 = Runtime("runc-v2", "runc", "mount -t cgroup2 none /sys/fs/cgroup")
# Beside a v1 hierarchy crun takes a v2 one that it finds for the one to use, and loads a device filter that it may not.
CRUN_V1 = Runtime("crun-v1", "crun", "{ umount -l /sys/fs/cgroup/unified 2>/dev/null || true; }")
RUNTIMES = (RUNC_V1, RUNC_V2, CRUN_V1)


@functools.cache
def why_not(runtime: Runtime) -> str:
    """Empty where containers of this runtime start on this machine, with their devices confined; else why not."""
    if not shutil.which(runtime.program):
        return f"{runtime.program} is not installed"
    if runtime.name.endswith("v1") and not os.path.isdir("/sys/fs/cgroup/devices"):
        return "this machine has no cgroup v1 hierarchy for devices"
    try:
        mounts.enter_private_mounts()
        return _try_a_container(runtime)
    except UnavailableError as error:
        return str(error)


def _try_a_container(runtime: Runtime) -> str:
    with open_folder("probe") as root:
        for name in ("dev", "proc", "sys", "bin"):
            os.mkdir(f"{root}/{name}")
        busybox = shutil.which("busybox")
        if not busybox:
            return "busybox, which the probing container runs, is not installed"
        shutil.copy(busybox, f"{root}/bin/sh")
        with new_bundle(root, "/bin/sh", "-c", "true") as probe:
            result = run(runtime, probe)
    return "" if result.exit == 0 else f"{runtime.name} starts no container on this machine: {result.last_line}"


def need(runtime: Runtime) -> Runtime:
    """The runtime; UnavailableError, with the reason, where it cannot be used here."""
    if reason := why_not(runtime):
        raise UnavailableError(reason)
    return runtime


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a container's life went; ``exit`` is None where it was never started."""

    created: int
    exit: int | None
    output: str
    errors: str

    @property
    def last_line(self) -> str:
        """The last thing that was said on the error stream."""
        return "".join(self.errors.strip().splitlines()[-1:])


@dataclasses.dataclass(frozen=True)
class Wrapper:
    """The OCI runtime that stands in front of the low-level one, and the environment its engine gives it."""

    program: str
    env: dict[str, str]


class Container:
    """One container's life, verb by verb, each verb its own process, as engines do it."""

    def __init__(self, runtime: Runtime, bundle: Bundle, wrapper: Wrapper | None = None) -> None:
        self._bundle = bundle
        self._program = wrapper.program if wrapper else (shutil.which(runtime.program) or runtime.program)
        self._prefix = runtime.prefix
        self._env = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            **(wrapper.env if wrapper else {}),
        }
        self._state = f"{bundle.folder}/state"
        self._pid_file = f"{bundle.folder}/pid"

    @property
    def pid(self) -> int:
        """The container's first process, once created."""
        with open(self._pid_file, encoding="ascii") as file:
            return int(file.read())

    def argv(self, verb: str, *arguments: str) -> list[str]:
        """The command of one verb, as an engine spells it."""
        return [self._program, "--root", self._state, verb, *arguments, self._bundle.id]

    def create(self, stdout: int, stderr: int) -> int:
        """Create it, from a bundle that has been written, with these streams; the exit code."""
        arguments = ("--bundle", self._bundle.folder, "--pid-file", self._pid_file)
        return self._call("create", *arguments, stdout=stdout, stderr=stderr)

    def start(self, stderr: int = subprocess.DEVNULL) -> int:
        """Let its program run; the exit code of the verb."""
        return self._call("start", stdout=subprocess.DEVNULL, stderr=stderr)

    def wait(self) -> int:
        """Wait for the end of its program; its exit code. Needs ``subreaper``."""
        return os.waitstatus_to_exitcode(wait_bounded(self.pid, WAIT_S))

    def delete(self) -> int:
        """Delete it, running or not."""
        return self._call("delete", "--force", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def _call(self, verb: str, *arguments: str, stdout: int, stderr: int) -> int:
        argv, cwd = [*self._prefix, *self.argv(verb, *arguments)], self._bundle.folder
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, env=self._env, cwd=cwd)
        process.returncode = os.waitstatus_to_exitcode(wait_bounded(process.pid, WAIT_S))
        return process.returncode


def run(runtime: Runtime, bundle: Bundle, wrapper: Wrapper | None = None) -> Outcome:
    """A container from create to delete; what it, and the runtime, printed."""
    container = Container(runtime, bundle.write(), wrapper)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, subreaper():
        ended = None
        try:
            created = container.create(out.fileno(), err.fileno())
            if created == 0 and container.start(err.fileno()) == 0:
                ended = container.wait()
        finally:
            container.delete()
        return Outcome(created, ended, _text(out), _text(err))


def _text(file: Any) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")  # type: ignore[no-any-return]  # tempfile's own type is private


@contextlib.contextmanager
def subreaper() -> Iterator[None]:
    """Be the parent of containers whose creator has gone, so that their end can be waited for."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def wait_bounded(pid: int, time_s: float) -> int:
    """The wait status of a child, the moment it ends (no polling); a child that takes longer is killed first."""
    descriptor = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        if not poll.poll(time_s * 1000):
            os.kill(pid, signal.SIGKILL)
        return os.waitpid(pid, 0)[1]
    finally:
        os.close(descriptor)
