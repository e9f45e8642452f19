"""All that a rule may look at. Each part is read when a rule first asks for it, and once."""

import re
from functools import cached_property

from linkspan.check import kernel_ring
from linkspan.check.containers import Container, containers
from linkspan.check.daemons import USUAL_PATH, Engine, engines, find_program, sight
from linkspan.check.docker_state import Record, records
from linkspan.check.eyes import Eyes
from linkspan.check.inside import Inside
from linkspan.check.kubernetes import Node
from linkspan.check.packages import installed
from linkspan.check.processes import Processes
from linkspan.check.specs import Specs
from linkspan.errors import ConfigError, FormatError
from linkspan.facts import snapshot
from linkspan.facts.host import HostReader, Search, Survey, is_file, is_folder
from linkspan.facts.model import Gpu, HostFacts
from linkspan.formats import procfs, toolkit_config
from linkspan.formats.toolkit_config import ToolkitConfig

NVIDIA = "0x10de"
PCI = "/sys/bus/pci/devices"
TOOLKIT_CONFIG = "/etc/nvidia-container-runtime/config.toml"
HOOKS = ("nvidia-container-runtime-hook", "nvidia-container-toolkit")
"""The names that dockerd looks for on its PATH when it starts."""
_LOGS = ("/var/log/kern.log", "/var/log/dmesg", "/var/log/messages", "/var/log/syslog")
_OF_THE_DRIVER = re.compile(
    r"NVRM|nvidia|nouveau|Xid|fabric|imex|Lockdown|module verification|key was rejected|unsigned module|unavailable key"
    r"|userns_create",
    re.IGNORECASE,
)
_LOG_TAIL = 1 << 20
_LOG_LINES = 400


class Device:
    """A PCI device of NVIDIA's, by its folder below /sys."""

    def __init__(self, eyes: Eyes, address: str) -> None:
        self.address = address
        self.folder = f"{PCI}/{address}"
        self.device_id = (eyes.text(f"{self.folder}/device") or "").strip()
        self.class_id = (eyes.text(f"{self.folder}/class") or "").strip()
        self.driver = (eyes.link(f"{self.folder}/driver") or "").rpartition("/")[2]

    @property
    def is_gpu(self) -> bool:
        """True for VGA and 3D controllers (class 03)."""
        return self.class_id.startswith("0x03")

    @property
    def is_switch(self) -> bool:
        """True for an NVSwitch (a bridge of class 0680)."""
        return self.class_id.startswith("0x0680")


class Scene:
    """A host below a root, and what stands and runs on it."""

    def __init__(self, eyes: Eyes) -> None:
        self.eyes = eyes

    @property
    def root(self) -> str:
        """The folder of this machine that is looked below, ``/`` for this machine itself."""
        return self.eyes.root or "/"

    @cached_property
    def facts(self) -> HostFacts:
        """Driver, GPUs, libraries and nodes, without a question to NVML."""
        files = self._driver_root
        kernel = files if is_file(files, "/proc/devices") else self.eyes
        nodes = files if is_folder(files, "/dev") else self.eyes
        search = Search(root=files.root or "/", nvml=False)
        return snapshot.unstamped(Survey(search, files, nodes, kernel))

    @property
    def _driver_root(self) -> Eyes:
        """Where the driver is: in a driver container or on a simulated host it is not at the root of everything."""
        root = self.toolkit.nvidia_container_cli.root.rstrip("/")
        return self.eyes.below(root) if root else self.eyes

    @cached_property
    def processes(self) -> Processes:
        """What runs."""
        return Processes(self.eyes)

    @cached_property
    def packages(self) -> dict[str, str]:
        """Installed packages of the GPU stack, to their versions."""
        return installed(self.eyes)

    @cached_property
    def engines(self) -> tuple[Engine, ...]:
        """The container engines."""
        return engines(self.eyes, self.processes, self.packages)

    def engines_of(self, *kinds: str) -> list[Engine]:
        """The engines of these kinds."""
        return [engine for engine in self.engines if engine.kind in kinds]

    def sight(self, engine: Engine) -> Eyes:
        """What an engine's daemon sees."""
        return sight(self.eyes, self.processes, engine.process)

    @cached_property
    def containers(self) -> tuple[Container, ...]:
        """The running containers."""
        return containers(self.eyes, self.processes)

    @cached_property
    def gpu_containers(self) -> tuple[Inside, ...]:
        """The running containers in whose /dev GPUs stand, with what is in them."""
        return tuple(Inside(one) for one in self.containers if one.has_gpus)

    @cached_property
    def docker_records(self) -> tuple[Record, ...]:
        """What the dockerds of this host keep of their containers, running or not."""
        found = (records(self.sight(one), one, self.processes) for one in self.engines_of("docker"))
        return tuple(record for group in found for record in group)

    @cached_property
    def node(self) -> Node:
        """The host as a node of Kubernetes."""
        return Node(self.eyes, self.processes, self.engines, self.containers)

    @property
    def loaded_driver(self) -> str:
        """The version of the loaded kernel module, empty where none is."""
        return self.facts.driver.readings.get("proc", "")

    def gpus_of(self, inside: Inside) -> list[Gpu]:
        """The GPUs whose nodes stand in a container's /dev."""
        return [gpu for gpu in self.facts.gpus if inside.container.root.exists(f"/dev/nvidia{gpu.minor}")]

    @cached_property
    def specs(self) -> Specs:
        """The CDI specs."""
        return Specs(self.eyes)

    @cached_property
    def pci(self) -> tuple[Device, ...]:
        """NVIDIA's PCI devices."""
        found = (name for name in self.eyes.names(PCI) if self.line(f"{PCI}/{name}/vendor") == NVIDIA)
        return tuple(Device(self.eyes, name) for name in found)

    @property
    def gpus_by_pci(self) -> list[Device]:
        """The GPUs that the bus has, whether or not a driver knows them."""
        return [device for device in self.pci if device.is_gpu]

    @cached_property
    def modules(self) -> dict[str, procfs.LoadedModule]:
        """The loaded kernel modules, all of them, by name."""
        try:
            return {module.name: module for module in procfs.modules(self.eyes.text("/proc/modules") or "")}
        except FormatError:
            return {}

    @cached_property
    def toolkit(self) -> ToolkitConfig:
        """The toolkit's config.toml, with the defaults where it is not there or cannot be followed."""
        try:
            return toolkit_config.parse(self.eyes.text(TOOLKIT_CONFIG) or "", TOOLKIT_CONFIG)
        except ConfigError:
            return ToolkitConfig()

    @cached_property
    def os(self) -> dict[str, str]:
        """The fields of os-release."""
        return self.facts.os_release

    @property
    def has_driver(self) -> bool:
        """True where the kernel module is loaded, or stands in for one (WSL2, Tegra)."""
        return self.eyes.exists("/proc/driver/nvidia/version") or self.facts.platform in ("wsl", "tegra")

    @cached_property
    def cgroup_version(self) -> int:
        """2 for a host with only the unified hierarchy, else 1 (cgroups(7))."""
        return 2 if self.eyes.exists("/sys/fs/cgroup/cgroup.controllers") else 1

    @cached_property
    def kernel(self) -> str:
        """The release of the kernel that runs: ``6.12.41+deb13-amd64``."""
        return self.line("/proc/sys/kernel/osrelease") or self.facts.kernel

    @cached_property
    def kernel_logs(self) -> dict[str, list[str]]:
        """The last lines about the GPU stack in each log that has the kernel's messages, oldest first."""
        none: list[str] = []
        found = {path: self.eyes.derive("log", path, _tail, none) for path in _LOGS}
        found[kernel_ring.PATH] = self.eyes.derive("log", kernel_ring.PATH, _ring, none)
        return {path: lines for path, lines in found.items() if lines}

    @property
    def kernel_log(self) -> tuple[str, ...]:
        """Those lines of all files, one file after the other."""
        return tuple(line for lines in self.kernel_logs.values() for line in lines)

    def logged(self, pattern: re.Pattern[str]) -> tuple[str, re.Match[str]] | None:
        """The file and the match of the last line of the log files that matches, None where none does."""
        lines = ((path, line) for path, some in self.kernel_logs.items() for line in reversed(some))
        return next(((path, found) for path, line in lines if (found := pattern.search(line))), None)

    @cached_property
    def now(self) -> float | None:
        """The time by which this host was looked at, in seconds since 1970; None where its uptime is not to be had."""
        words = self.line("/proc/uptime").split()
        first = self.processes.booted
        return first + float(words[0]) if words and first and words[0].replace(".", "", 1).isdecimal() else None

    def line(self, path: str) -> str:
        """The only line of a small file, stripped; empty where there is none."""
        return (self.eyes.text(path, 4096) or "").strip()

    def find(self, program: str, path: str = USUAL_PATH) -> str:
        """Where a program stands on a PATH of the host, empty where it does not."""
        return find_program(self.eyes, path, program)

    def has(self, *programs: str) -> bool:
        """True where all of these programs can be run here, so that a remedy may name them."""
        return all(self.find(program) for program in programs)

    def is_own(self, container: str) -> bool:
        """True where this host is itself a container of that kind, by what its first process was started with."""
        return self.processes.environ(1).get("container", "") == container


def _ring(host: HostReader, path: str) -> list[str]:
    return [line for line in kernel_ring.messages(host, path) if _OF_THE_DRIVER.search(line)][-_LOG_LINES:]


def _tail(host: HostReader, path: str) -> list[str]:
    size = host.size(path)
    data = host.read(path, max(0, size - _LOG_TAIL), _LOG_TAIL) or b""
    lines = [line for line in data.decode("utf-8", "replace").splitlines() if _OF_THE_DRIVER.search(line)]
    return lines[-_LOG_LINES:]
