"""WSL2: one node, /dev/dxg, is the door to all GPUs; the driver's files come from Windows's driver store."""

from collections.abc import Collection, Sequence

from linkspan.errors import DeviceNotFound, HostError
from linkspan.facts.model import HostFacts
from linkspan.plan.capabilities import admits
from linkspan.plan.driver import libraries_edits, program_links
from linkspan.plan.edits import NO_DEVICE, VOID, merge, nodes
from linkspan.plan.model import Capability, Injection, Mount
from linkspan.plan.selection import select
from linkspan.plan.wording import quoted

DXG = "/dev/dxg"


def container_edits(
    facts: HostFacts, ids: Sequence[str], granted: Collection[Capability], features: Collection[str]
) -> Injection:
    """The edits for one container. GPUs cannot be told apart, so any id that the host has gives the one node."""
    driver = store_edits(facts, granted, features)
    if ids == ("none",):
        return merge(Injection(env=(NO_DEVICE,)), driver)
    if facts.gpus:
        select(facts, ids)
    elif unknown := [item for item in ids if item not in ("all", "0")]:
        raise DeviceNotFound(
            f"{quoted(unknown[0])} was asked for, but under WSL2 there is only the one device 'all'",
            hint="ask for 'all'",
            subject=unknown[0],
        )
    return merge(node(facts), driver)


def node(facts: HostFacts) -> Injection:
    """The node of all GPUs; HostError where it does not exist."""
    found = facts.device(DXG)
    if not found:
        raise HostError(
            f"the device node {DXG} does not exist",
            hint="enable the GPU in WSL2: 'wsl --update' on Windows, and an NVIDIA driver that knows WSL",
            subject=DXG,
        )
    return nodes([found])


def store_edits(facts: HostFacts, granted: Collection[Capability], features: Collection[str] = ()) -> Injection:
    """The files of the driver store at their own places, and a link to nvidia-smi where programs are looked for."""
    if not facts.libraries:
        raise HostError(
            "no library of the Windows driver was found in the driver store of WSL2",
            hint="install an NVIDIA driver for Windows that knows WSL, then 'wsl --shutdown'",
            subject=facts.wsl_store or "/usr/lib/wsl",
        )
    programs = [item for item in facts.binaries if admits(item.path, granted)]
    files = [*programs, *(item for item in facts.folders if admits(item.path, granted))]
    return merge(
        Injection(env=(VOID,)),
        libraries_edits(facts, granted, features, desktop=False),
        Injection(
            mounts=tuple(Mount(host_path=item.host_path, container_path=item.path) for item in files),
            links=program_links(programs),
        ),
    )
