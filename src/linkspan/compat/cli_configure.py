"""``nvidia-container-cli configure``: gives a container that has been made, and does not run yet, GPUs and driver.

With ``--pid`` the container is that of a process which a runtime has created and stopped there (contract 4.5). Without,
it is a folder in the mounts of whoever calls, as Apptainer, enroot and LXC do it: then everything is mounted below that
folder, device nodes too, so that nothing is left in it but empty files.
"""

import os
from collections.abc import Sequence
from typing import Any

import msgspec

from linkspan.compat.argp import Option, WrongUsage
from linkspan.compat.cli_call import Call, StageError, stage
from linkspan.compat.cli_select import COMPAT32, SELECTION, check_mig_wide, keeps, unknown_device
from linkspan.emit import oci
from linkspan.errors import RequestError, RequirementError
from linkspan.facts.model import HostFacts
from linkspan.kernel import cgroup
from linkspan.kernel.carry import Freight
from linkspan.plan import requirements
from linkspan.plan.edits import merge
from linkspan.plan.injection import inject
from linkspan.plan.model import CAPABILITIES, DeviceRequest, Injection, Mount, Policy
from linkspan.plan.proc import gpu_folders
from linkspan.runtime import created
from linkspan.runtime.carrier import Carrier

_LETTERS = {"compute": "c", "utility": "u", "video": "v", "graphics": "g", "display": "D", "ngx": "n"}
OPTIONS = (
    *SELECTION,
    Option("pid", "p", "the container's process", "PID"),
    Option("require", "r", "a condition on driver and GPUs, such as cuda>=12.4", "EXPR"),
    Option("ldconfig", "l", "no effect: the loader's cache is written without running a program", "PATH"),
    *(Option(name, letter, f"what '{name}' takes") for name, letter in _LETTERS.items()),
    COMPAT32,
    Option(
        "cuda-compat-mode", "", "disabled, mount or ldconfig: whether the image's CUDA may be the newer one", "MODE"
    ),
    Option("no-cgroups", "", "leave the device cgroup as it is"),
    Option("no-devbind", "", "give no device nodes"),
)
_COMPAT_MODES = ("disabled", "mount", "ldconfig")


def run(call: Call) -> None:
    """Do it. Raises StageError with the reason why the container cannot have what was asked for."""
    root = _root(call)
    request = _request(call)
    facts = call.facts()
    injection = _injection(call, facts, request)
    edits = oci.edits(injection, facts.arch)
    edits |= _own_proc(facts, request)
    for option, member in (("no-cgroups", "rules"), ("no-devbind", "devices")):
        if call.has(option):
            edits.pop(member, None)
    call.log(f"{len(injection.devices)} device nodes and {len(injection.mounts)} mounts for {root}")
    _carry(call, root, edits, {node.path: node.host_path for node in injection.devices})


def _root(call: Call) -> str:
    if len(call.words) != 1:
        raise WrongUsage(f"one ROOTFS is needed, and {len(call.words)} are given")
    root = os.path.normpath(call.words[0])
    if not root.startswith("/") or root.strip("/") == "":
        raise StageError("input", f"ROOTFS is {call.words[0]!r}, not an absolute path below /")
    return root


def _request(call: Call) -> DeviceRequest:
    with stage("requirement"):
        needed = tuple(requirements.parse(f"--require={text}", text) for text in call.each("require"))
    return DeviceRequest(
        devices=call.ids("device") or ("none",),
        source="--device",
        capabilities=tuple(name for name in CAPABILITIES if call.has(name)),
        requirements=needed,
        imex_channels=call.ids("imex-channel"),
        mig_config=",".join(call.ids("mig-config")),
        mig_monitor=",".join(call.ids("mig-monitor")),
    )


def _injection(call: Call, facts: HostFacts, request: DeviceRequest) -> Injection:
    """What is carried across; firmware always, where it is not excluded (contract 4.4)."""
    check_mig_wide(call, facts)
    devices = request.devices if facts.gpus or facts.platform == "wsl" else ("none",)
    alone = ("all",) if "all" in map(str.lower, devices) else devices
    policy = Policy(mode="legacy", cuda_compat_mode="disabled" if _compat_is_off(call) else "mount")
    try:
        with unknown_device():
            found = inject(facts, msgspec.structs.replace(request, devices=alone), policy)
    except RequirementError as error:
        text = error.subject.partition("=")[2]
        raise StageError("requirement", f"unsatisfied condition: {text} ({error.message})", error.hint) from None
    except RequestError as error:
        raise StageError("device", error.message, error.hint) from None
    firmware = Injection(
        mounts=tuple(Mount(host_path=item.host_path, container_path=item.path) for item in facts.firmware)
    )
    whole = merge(found, firmware)
    return msgspec.structs.replace(
        whole, mounts=tuple(mount for mount in whole.mounts if keeps(call, mount.container_path))
    )


def _own_proc(facts: HostFacts, request: DeviceRequest) -> dict[str, Any]:
    folders = gpu_folders(facts, request)
    return {} if folders is None else {"proc_gpus": list(folders)}


def _compat_is_off(call: Call) -> bool:
    """``disabled`` wins; the other two are one here, but may not be asked for together (contract 4.1)."""
    modes = set(call.each("cuda-compat-mode"))
    if unknown := sorted(modes.difference(_COMPAT_MODES)):
        raise StageError("input", f"--cuda-compat-mode is {unknown[0]!r}", f"it is one of {', '.join(_COMPAT_MODES)}")
    if "disabled" in modes:
        return True
    if len(modes) > 1:
        raise StageError("input", "--cuda-compat-mode is both mount and ldconfig", "give one of them")
    return False


def _carry(call: Call, root: str, edits: dict[str, Any], nodes: dict[str, str]) -> None:
    with stage("container"):
        is_created = call.has("pid")
        process = created.open_process(_pid(call) if is_created else os.getppid())
        open_root = created.open_root if is_created else created.open_root_of_caller
        carrier = _Carrier(edits, nodes, process, open_root(process, root), is_created=is_created)
    with stage("mount"):
        carrier.carry()


def _pid(call: Call) -> int:
    text = call.each("pid")[-1]
    if not (text.isascii() and text.isdecimal() and 0 < len(text) < 10 and int(text)):
        raise StageError("input", f"--pid is {text!r}, not the number of a process")
    return int(text)


class _Carrier(Carrier):
    """What each step fails with is told by the toolkit's name for it."""

    def __init__(
        self, edits: dict[str, Any], nodes: dict[str, str], process: int, root_fd: int, *, is_created: bool
    ) -> None:
        binds_nodes = not (is_created and cgroup.are_ours() and created.shares(process, "user"))
        super().__init__(edits, process, root_fd, created.root_owner_of(process), binds_nodes=binds_nodes)
        self._nodes = nodes
        self._is_created = is_created

    def node_of(self, path: str) -> str:
        """A driver root may have nodes of its own."""
        return self._nodes[path]

    def cgroup(self) -> cgroup.Devices:
        """See ``Carrier``."""
        with stage("container"):
            return super().cgroup()

    def prepare(self, work: dict[str, Any]) -> None:
        """See ``Carrier``."""
        with stage("ldcache"):
            super().prepare(work)

    def enter_and_mount(self, freight: Sequence[Freight], owner: tuple[int, int] | None) -> None:
        """A caller's own mounts are those that we are in already."""
        if self._is_created or not created.shares(self.process, "mnt"):
            super().enter_and_mount(freight, owner)
        else:
            self.mount(freight, owner)
