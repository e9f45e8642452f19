"""``nvidia-container-cli list``: what of the driver a container would be given, one path a line (contract 4.2).

Apptainer asks it which files to bind.
"""

import sys
from collections.abc import Iterator

from linkspan.compat.argp import Option
from linkspan.compat.cli_call import Call, StageError, stage
from linkspan.compat.cli_select import COMPAT32, SELECTION, check_mig_wide, find, keeps
from linkspan.facts.model import Gpu, HostFacts, MigDevice
from linkspan.plan import devices, wsl
from linkspan.plan.capabilities import ALWAYS
from linkspan.plan.driver import driver_edits
from linkspan.plan.model import Injection
from linkspan.plan.selection import Choice

OPTIONS = (
    *SELECTION,
    Option("libraries", "l", "list driver libraries"),
    Option("binaries", "b", "list driver programs"),
    Option("ipcs", "i", "list sockets and folders of the driver's services"),
    Option("firmwares", "f", "list firmware"),
    COMPAT32,
)
_KINDS = (
    "device",
    "mig-config",
    "mig-monitor",
    "imex-channel",
    "libraries",
    "binaries",
    "ipcs",
    "firmwares",
    "compat32",
)

_CONTROL = ("/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidia-modeset")
_CAPABILITIES = "/proc/driver/nvidia/capabilities"


def run(call: Call) -> None:
    """Print the paths; with no option all that there are."""
    facts = call.facts()
    everything = not any(call.has(name) for name in _KINDS)
    lines = [*_devices(call, facts, everything=everything), *_files(call, facts, everything=everything)]
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _devices(call: Call, facts: HostFacts, *, everything: bool) -> Iterator[str]:
    if everything or call.has("device"):
        yield from _nodes(facts, find(facts, ("all",) if everything else call.ids("device")))
    with stage("device"):
        yield from (node.path for node in devices.channels(facts, call.ids("imex-channel")).values())
    check_mig_wide(call, facts)
    for entry in ("config", "monitor"):
        if call.has(f"mig-{entry}"):
            yield f"{_CAPABILITIES}/mig/{entry}"
            with stage(f"mig-{entry}"):
                yield from (node.path for node in devices.mig_wide_edits(facts, facts.gpus, entry).devices)


def _nodes(facts: HostFacts, choices: tuple[Choice, ...]) -> Iterator[str]:
    if facts.platform == "wsl":
        yield from (node.path for node in wsl.node(facts).devices)
        return
    yield from (path for path in _CONTROL if facts.device(path))
    for gpu in {choice.gpu.index: choice.gpu for choice in choices}.values():
        if not gpu.path:
            raise StageError(
                "device", f"GPU {gpu.index} has no device node", f"create it: nvidia-modprobe -c {gpu.minor}"
            )
        yield gpu.path
    for choice in choices:
        yield from _mig_paths(choice.gpu, choice.mig) if choice.mig else ()


def _mig_paths(gpu: Gpu, mig: MigDevice) -> Iterator[str]:
    instance = f"{_CAPABILITIES}/gpu{gpu.minor}/mig/gi{mig.gi}"
    for place, node in zip((instance, f"{instance}/ci{mig.ci}"), mig.access, strict=False):
        yield f"{place}/access"
        yield node


def _files(call: Call, facts: HostFacts, *, everything: bool) -> Iterator[str]:
    edits = _driver(facts)
    mounted = [mount.container_path for mount in edits.mounts if keeps(call, mount.container_path)]
    libraries = {bits: {item.path for item in facts.libraries if item.bits == bits} for bits in (64, 32)}
    kinds = (
        ("binaries", {item.path for item in facts.binaries}),
        ("libraries", libraries[64]),
        ("compat32", libraries[32]),
        ("ipcs", {item.path for item in facts.sockets}),
        ("firmwares", {item.path for item in facts.firmware}),
    )
    wanted = {kind for kind, _ in kinds if everything or call.has(kind)}
    if "libraries" not in wanted:  # which compat32 is a variety of
        wanted.discard("compat32")
    for kind, paths in kinds:
        if kind in wanted:
            yield from (path for path in mounted if path in paths)


def _driver(facts: HostFacts) -> Injection:
    return wsl.store_edits(facts, ALWAYS) if facts.platform == "wsl" else driver_edits(facts, ALWAYS)
