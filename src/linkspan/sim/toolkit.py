"""NVIDIA's toolkit on a simulated host, in place of linkspan: programs, packages, config.toml and a spec of its own."""

import json
from typing import Any

from linkspan.sim.machine import Machine
from linkspan.sim.processes import program
from linkspan.sim.spec_side import HOOK, PATH

CONFIG = "/etc/nvidia-container-runtime/config.toml"
_PROGRAMS = (
    *("nvidia-container-runtime", "nvidia-container-runtime-hook", "nvidia-container-cli", "nvidia-ctk"),
    "nvidia-cdi-hook",
)
_SETTINGS = """\
#accept-nvidia-visible-devices-as-volume-mounts = false
disable-require = false
supported-driver-capabilities = "compat32,compute,display,graphics,ngx,utility,video"

[nvidia-container-cli]
#debug = "/var/log/nvidia-container-toolkit.log"
environment = []
#ldcache = "/etc/ld.so.cache"
ldconfig = "@/sbin/ldconfig"
load-kmods = true
#no-cgroups = false
#user = "root:video"

[nvidia-container-runtime]
log-level = "info"
mode = "auto"
runtimes = ["runc", "crun"]
"""


def install(machine: Machine, version: str = "1.17.8") -> None:
    """Put the toolkit in place of linkspan, as its packages do."""
    machine.remove("/usr/local/bin/*linkspan*", "/usr/local/bin/nvidia-*")
    machine.remove("/etc/systemd/system/multi-user.target.wants/linkspan-refresh.*")
    machine.put({f"/usr/bin/{name}": program(name) for name in _PROGRAMS})
    machine.write(CONFIG, _SETTINGS)
    machine.replace("/var/lib/dpkg/status", "Package: linkspan\n", "Package: unattended-upgrades\n")
    for package in ("nvidia-container-toolkit", "nvidia-container-toolkit-base", "libnvidia-container1"):
        stanza = f"Package: {package}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}-1\n\n"
        machine.append("/var/lib/dpkg/status", stanza)
    if "docker" in machine.spec.engines:
        machine.edit_json("/etc/docker/daemon.json", _with_its_runtime)
    machine.replace(PATH, HOOK, "/usr/bin/nvidia-cdi-hook")


def _with_its_runtime(document: dict[str, Any]) -> None:
    document["runtimes"] = {"nvidia": {"args": [], "path": "nvidia-container-runtime"}}


def configure(machine: Machine, old: str, new: str) -> None:
    """Change a line of config.toml."""
    machine.replace(CONFIG, old, new)


def restore_daemon(machine: Machine, **settings: object) -> None:
    """Write daemon.json with these settings alone."""
    machine.write("/etc/docker/daemon.json", json.dumps(settings, indent=2) + "\n")
