"""Container engines and the bridge on a simulated host: their programs, files and daemons, all healthy."""

import json
from collections.abc import Iterable

from linkspan.errors import RequestError
from linkspan.sim.processes import BOOTED, process, program
from linkspan.sim.spec import SimGpu, SimSpec
from linkspan.sim.tree import File, Folder, Link, Node, Tree, text

ENGINES = ("docker", "rootless-docker", "podman", "containerd", "crio", "k3s")
UPTIME_S = 40 * 86400
"""A simulated host was looked at after what happened to it recently."""
KERNEL = "6.12.41+deb13-amd64"
BRIDGE = "/usr/local/bin"
PERSISTENCED, FABRIC_MANAGER = 410, 420
"""Numbers of the driver's daemons."""
SWITCH_CLASS, SWITCH_DEVICE = "0x068000", "0x22a3"
"""An NVSwitch of Hopper's generation (pci.ids)."""
RUNTIME = f"{BRIDGE}/linkspan-runtime"
_NAMES = {
    "nvidia-container-runtime": "linkspan-runtime",
    "nvidia-container-runtime-hook": "linkspan-prestart-hook",
    "nvidia-container-toolkit": "linkspan-prestart-hook",
    "nvidia-cdi-hook": "linkspan-cdi-hook",
    "nvidia-ctk": "linkspan-ctk",
    "nvidia-container-cli": "linkspan-container-cli",
}
_TOOLS = (
    *("/sbin/ldconfig", "/sbin/modprobe", "/usr/bin/systemctl", "/usr/bin/apt-get", "/usr/bin/nvidia-modprobe"),
    *("/usr/bin/runc", "/usr/bin/crun", "/sbin/depmod", "/usr/bin/mokutil", "/usr/sbin/update-initramfs"),
)
_DAEMON = {"runtimes": {"nvidia": {"path": RUNTIME}}}
_CRI = """\
version = 2

[plugins."io.containerd.grpc.v1.cri"]
  enable_cdi = true

  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"

  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.nvidia]
    runtime_type = "io.containerd.runc.v2"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.nvidia.options]
      BinaryName = "/usr/local/bin/linkspan-runtime"
      SystemdCgroup = true
"""


def check(engines: Iterable[str]) -> None:
    """Raise RequestError for an engine that cannot be simulated."""
    unknown = [engine for engine in engines if engine not in ENGINES]
    if unknown:
        raise RequestError(f"no engine {unknown[0]}", hint=f"the known ones are {', '.join(ENGINES)}")


def tree(spec: SimSpec, gpus: tuple[SimGpu, ...], nodes: Tree) -> Tree:
    """All of it, for a host whose ``nodes`` are these."""
    if not spec.engines:
        return {}
    check(spec.engines)
    made = {**_system(), **_bridge(), **_char_links(nodes), **_pci(gpus), **_dkms(spec), **_switches(spec)}
    packages = dict(_PACKAGES)
    if spec.nvswitches:
        packages["nvidia-fabricmanager"] = f"{spec.driver_version}-1"
    for engine in spec.engines:
        made |= _MAKERS[engine]()
        packages |= _PACKAGES_OF[engine]
    return made | {"/var/lib/dpkg/status": text("".join(_stanza(*item) for item in packages.items()))}


def _system() -> Tree:
    """The parts of a Linux that has booted with systemd and cgroup v2."""
    return {
        "/proc/uptime": text(f"{UPTIME_S}.00 {UPTIME_S}.00\n"),
        "/proc/stat": text(f"cpu 0 0 0 0\nbtime {BOOTED}\n"),
        "/proc/sys/kernel/osrelease": text(f"{KERNEL}\n"),
        "/proc/sys/net/core/bpf_jit_harden": text("0\n"),
        "/proc/cmdline": text(f"BOOT_IMAGE=/boot/vmlinuz-{KERNEL} root=/dev/sda1 ro quiet\n"),
        "/proc/filesystems": text("nodev\tsysfs\nnodev\tproc\nnodev\tcgroup2\nnodev\toverlay\n\text4\n"),
        f"/boot/config-{KERNEL}": text("CONFIG_CGROUP_BPF=y\nCONFIG_BPF_SYSCALL=y\nCONFIG_MODULES=y\n"),
        f"/lib/modules/{KERNEL}/updates/dkms/nvidia.ko.xz": program("nvidia.ko"),
        f"/lib/modules/{KERNEL}/updates/dkms/nvidia-uvm.ko.xz": program("nvidia-uvm.ko"),
        f"/lib/modules/{KERNEL}/build": Folder(),
        "/sys/fs/cgroup/cgroup.controllers": text("cpuset cpu io memory pids\n"),
        "/run/systemd/system": Folder(),
        **{path: program(path) for path in _TOOLS},
        **process(1, ["/sbin/init"], exe="/usr/lib/systemd/systemd", parent=0, cgroup="/init.scope"),
        **process(
            PERSISTENCED,
            ["/usr/bin/nvidia-persistenced", "--verbose"],
            cgroup="/system.slice/nvidia-persistenced.service",
        ),
    }


def _bridge() -> Tree:
    own = ("linkspan", "linkspan-runtime", "linkspan-hook", "linkspan-prestart-hook", "linkspan-cdi-hook")
    wants = "/etc/systemd/system/multi-user.target.wants"
    return {
        **{f"{BRIDGE}/{name}": program(name) for name in (*own, "linkspan-ctk", "linkspan-container-cli")},
        **{f"{BRIDGE}/{name}": Link(target) for name, target in _NAMES.items()},
        **{
            f"{wants}/linkspan-refresh.{kind}": Link(f"/usr/local/lib/systemd/system/linkspan-refresh.{kind}")
            for kind in ("path", "service")
        },
        **{f"/usr/local/lib/systemd/system/linkspan-refresh.{kind}": text("[Unit]\n") for kind in ("path", "service")},
    }


def _char_links(nodes: Tree) -> Tree:
    """What udev or ``cdi refresh`` makes, for the systemd cgroup driver."""
    return {
        f"/dev/char/{node.major}:{node.minor}": Link(f"..{path.removeprefix('/dev')}")
        for path, node in nodes.items()
        if isinstance(node, Node) and path.startswith("/dev/nvidia")
    }


def _pci(gpus: tuple[SimGpu, ...]) -> Tree:
    """What the bus tells of GPUs beyond what the facts read: their driver, and their configuration space."""
    found: Tree = {}
    for gpu in gpus:
        folder = f"/sys/bus/pci/devices/{gpu.bus_id}"
        found[f"{folder}/driver"] = Link("../../../bus/pci/drivers/nvidia")
        found[f"{folder}/config"] = File((0x10DE | gpu.model.pci_device).to_bytes(4, "little") + bytes(60))
    return found


def _dkms(spec: SimSpec) -> Tree:
    source = f"/var/lib/dkms/nvidia/{spec.driver_version}"
    return {
        f"{source}/source/dkms.conf": text(f'PACKAGE_NAME="nvidia"\nPACKAGE_VERSION="{spec.driver_version}"\n'),
        f"{source}/{KERNEL}/x86_64/module/nvidia.ko.xz": program("nvidia.ko"),
        "/usr/sbin/dkms": program("dkms"),
    }


def _switches(spec: SimSpec) -> Tree:
    """The NVSwitches on the bus, and the daemon that sets them up."""
    if not spec.nvswitches:
        return {}
    found: Tree = {"/usr/lib/systemd/system/nvidia-fabricmanager.service": text("[Unit]\n")}
    for number in range(spec.nvswitches):
        folder = f"/sys/bus/pci/devices/{number:04x}:05:00.0"
        found[f"{folder}/vendor"] = text("0x10de\n")
        found[f"{folder}/device"] = text(f"{SWITCH_DEVICE}\n")
        found[f"{folder}/class"] = text(f"{SWITCH_CLASS}\n")
    return found | process(FABRIC_MANAGER, ["/usr/bin/nv-fabricmanager", "-c", "/usr/share/nvidia/nvswitch/fm.cfg"])


def _docker() -> Tree:
    return {
        "/usr/bin/docker": program("docker"),
        "/usr/bin/dockerd": program("dockerd"),
        "/usr/bin/containerd": program("containerd"),
        "/etc/docker/daemon.json": text(json.dumps(_DAEMON, indent=2) + "\n"),
        "/run/docker.sock": text(""),
        **process(700, ["/usr/bin/containerd"], cgroup="/system.slice/containerd.service"),
        **process(
            *(800, ["/usr/bin/dockerd", "-H", "fd://", "--containerd=/run/containerd/containerd.sock"]),
            cgroup="/system.slice/docker.service",
        ),
    }


def _rootless_docker() -> Tree:
    home = "/home/ada"
    env = {"HOME": home, "XDG_RUNTIME_DIR": "/run/user/1000", "PATH": f"{BRIDGE}:/usr/bin:/bin"}
    return {
        "/usr/bin/docker": program("docker"),
        "/usr/bin/dockerd": program("dockerd"),
        f"{home}/.config/docker/daemon.json": text(json.dumps(_DAEMON, indent=2) + "\n"),
        "/run/user/1000/docker.sock": text(""),
        **process(850, ["dockerd"], exe="/usr/bin/dockerd", uid=1000, env=env, cgroup="/user.slice/user-1000.slice"),
    }


def _podman() -> Tree:
    return {"/usr/bin/podman": program("podman"), "/usr/bin/conmon": program("conmon")}


def _containerd() -> Tree:
    return {
        "/usr/bin/containerd": program("containerd"),
        "/usr/bin/ctr": program("ctr"),
        "/usr/bin/kubelet": program("kubelet"),
        "/etc/containerd/config.toml": text(_CRI),
        **process(700, ["/usr/bin/containerd"], cgroup="/system.slice/containerd.service"),
        **process(
            900, ["/usr/bin/kubelet", "--config=/var/lib/kubelet/config.yaml"], cgroup="/system.slice/kubelet.service"
        ),
    }


def _crio() -> Tree:
    entry = f'[crio.runtime.runtimes.nvidia]\nruntime_path = "{RUNTIME}"\nruntime_type = "oci"\n'
    return {
        "/usr/bin/crio": program("crio"),
        "/usr/bin/kubelet": program("kubelet"),
        "/etc/crio/crio.conf": text('[crio.runtime]\ndefault_runtime = "crun"\n'),
        "/etc/crio/crio.conf.d/zz-linkspan.conf": text(entry),
        **process(760, ["/usr/bin/crio"], cgroup="/system.slice/crio.service"),
        **process(
            900, ["/usr/bin/kubelet", "--config=/var/lib/kubelet/config.yaml"], cgroup="/system.slice/kubelet.service"
        ),
    }


def _k3s() -> Tree:
    home = "/var/lib/rancher/k3s"
    return {
        "/usr/local/bin/k3s": program("k3s"),
        f"{home}/agent/etc/containerd/config.toml": text(_CRI),
        f"{home}/data/current/bin/containerd": program("containerd"),
        **process(600, ["/usr/local/bin/k3s", "server"], cgroup="/system.slice/k3s.service"),
        **process(
            *(
                610,
                ["containerd", "-c", f"{home}/agent/etc/containerd/config.toml", "-a", "/run/k3s/containerd/c.sock"],
            ),
            exe=f"{home}/data/current/bin/containerd",
            parent=600,
            cgroup="/system.slice/k3s.service",
        ),
    }


_MAKERS = {
    "docker": _docker,
    "rootless-docker": _rootless_docker,
    "podman": _podman,
    "containerd": _containerd,
    "crio": _crio,
    "k3s": _k3s,
}
_PACKAGES = {"linkspan": "0.1.0", "dkms": "3.1.8-2", "linux-headers-amd64": "6.12.41-1", "mokutil": "0.7.2-1"}
_DOCKER_PACKAGES = {"docker-ce": "5:28.5.1-1~debian.13~trixie", "containerd.io": "1.7.28-1"}
_PACKAGES_OF: dict[str, dict[str, str]] = {
    "docker": _DOCKER_PACKAGES,
    "rootless-docker": {**_DOCKER_PACKAGES, "docker-ce-rootless-extras": "5:28.5.1-1~debian.13~trixie"},
    "podman": {"podman": "5.4.2+ds1-2", "crun": "1.21-1"},
    "containerd": {"containerd.io": "1.7.28-1", "kubelet": "1.33.4-1.1"},
    "crio": {"cri-o": "1.33.4-1.1", "kubelet": "1.33.4-1.1"},
    "k3s": {},
}


def _stanza(name: str, version: str) -> str:
    return f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n\n"
