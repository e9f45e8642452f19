"""What ``list`` and ``configure`` of ``nvidia-container-cli`` have in common: which devices, and which services."""

import contextlib
from collections.abc import Iterator

from linkspan.compat.argp import Option
from linkspan.compat.cli_call import Call, StageError, stage
from linkspan.errors import DeviceNotFound
from linkspan.facts.model import HostFacts
from linkspan.plan.selection import Choice, select

COMPAT32 = Option("compat32", "", "32-bit libraries, too")
SELECTION = (
    Option("device", "d", "GPUs and MIG devices: all, index, UUID, PCI id, or GPU:MIG", "ID"),
    Option("mig-config", "", "GPUs whose MIG may be changed: all", "ID"),
    Option("mig-monitor", "", "GPUs whose MIG may be watched: all", "ID"),
    Option("imex-channel", "", "IMEX channels", "CHANNEL"),
    Option("no-persistenced", "", "not the socket of nvidia-persistenced"),
    Option("no-fabricmanager", "", "not the socket of nv-fabricmanager"),
    Option("no-gsp-firmware", "", "no firmware"),
)


def find(facts: HostFacts, ids: tuple[str, ...]) -> tuple[Choice, ...]:
    """The devices that these ids name; ``all`` are all GPUs and all MIG devices (contract 4.3).

    A host without GPUs is asked for none. Raises StageError.
    """
    if not facts.gpus:
        return ()
    if "all" in map(str.lower, ids):
        every = ((Choice(gpu=gpu), *(Choice(gpu=gpu, mig=mig) for mig in gpu.mig)) for gpu in facts.gpus)
        return tuple(choice for choices in every for choice in choices)
    with stage("device"), unknown_device():
        return select(facts, ids).choices


@contextlib.contextmanager
def unknown_device() -> Iterator[None]:
    """Within, a device that there is not is told in the words that people look for."""
    try:
        yield
    except DeviceNotFound as error:
        raise StageError("device", f"{error.subject}: unknown device; {error.message}", error.hint) from None


def check_mig_wide(call: Call, facts: HostFacts) -> None:
    """MIG is opened for all GPUs at once or not at all, and not beside single MIG devices (contract 4.3)."""
    for option in ("mig-config", "mig-monitor"):
        if not call.has(option):
            continue
        if [one.lower() for one in call.ids(option)] != ["all"]:
            raise StageError(option, f"{','.join(call.ids(option))!r}: unknown device", "it can only be 'all'")
        if "all" not in call.ids("device") and any(choice.mig for choice in find(facts, call.ids("device"))):
            raise StageError(option, "cannot be opened beside MIG devices", "ask for whole GPUs")


def keeps(call: Call, path: str) -> bool:
    """Whether no option excludes the file or socket at this path of a container."""
    left_out = (
        ("no-persistenced", "/nvidia-persistenced/"),
        ("no-fabricmanager", "/nvidia-fabricmanager/"),
        ("no-gsp-firmware", "/firmware/"),
    )
    return not any(call.has(option) and part in path for option, part in left_out)
