"""Tegra: the CSV files of the board say what a container needs (contract 2.8 and 5.6).

Such a board has one integrated GPU, index 0; where a second, discrete one is plugged in, that is index 1 and served as
on any other host.
"""

from collections.abc import Collection, Iterable, Sequence

from linkspan.errors import DeviceNotFound, HostError, RequestError
from linkspan.facts.model import CsvEntry, HostFacts, Library
from linkspan.plan import devices
from linkspan.plan.capabilities import ALWAYS, admits
from linkspan.plan.driver import library_edits
from linkspan.plan.edits import NO_DEVICE, VOID, merge, nodes
from linkspan.plan.model import Capability, DeviceRequest, Injection, Loadable, Mount, Policy
from linkspan.plan.selection import LIST_HINT, Choice, select
from linkspan.plan.switches import SINGLE_CSV_DEVICE
from linkspan.plan.wording import quoted

RELEASE = "/etc/nv_tegra_release"

_BASE_FILES = ("l4t.csv", "drivers.csv", "devices.csv")
"""The CSV files that count unless a container asks for all: the others carry what images now bring (contract 2.6)."""
_ORIN_COMPAT = "/usr/local/cuda/compat_orin"


def container_edits(
    facts: HostFacts, request: DeviceRequest, policy: Policy, granted: Collection[Capability]
) -> Injection:
    """The edits for one container; ``none`` has the files and no device (contract 9.2 #4)."""
    entries = [item for item in facts.csv if request.csv_all or _file_name(item) in _BASE_FILES]
    files = file_edits(facts, entries, granted, policy.compat_root)
    if request.devices == ("none",):
        return merge(Injection(env=(NO_DEVICE,)), files)
    chosen = choices(facts, request.devices, policy.features)
    return merge(*(device_edits(facts, entries, choice, granted) for choice in chosen), files)


def _file_name(entry: CsvEntry) -> str:
    return entry.source.rpartition("/")[2].partition(":")[0]


def choices(facts: HostFacts, ids: Sequence[str], features: Collection[str] = ()) -> tuple[Choice | None, ...]:
    """The GPUs asked for; None stands for the only one. Raises DeviceNotFound, and RequestError for a MIG device."""
    if len(facts.gpus) < 2 or SINGLE_CSV_DEVICE in features:
        unknown = [item for item in ids if item not in ("all", "0")]
        if unknown:
            raise DeviceNotFound(
                f"{quoted(unknown[0])} was asked for, but this Tegra host has the one GPU 0",
                hint=LIST_HINT,
                subject=unknown[0],
            )
        return (None,)
    selection = select(facts, ids)
    if selection.mig:
        raise RequestError(
            f"MIG device {selection.choices[0].index} was asked for, which mode csv cannot give",
            hint="ask for a whole GPU",
            subject=selection.choices[0].uuid,
        )
    return selection.choices


def device_edits(
    facts: HostFacts, entries: Iterable[CsvEntry], choice: Choice | None, granted: Collection[Capability]
) -> Injection:
    """The nodes of a GPU: those of the CSV files, less a second GPU's, or those of a discrete GPU (contract 5.6)."""
    if choice and choice.gpu.index > 0:
        return merge(devices.choice_edits(facts, choice, granted), devices.control_nodes(facts, granted))
    paths = [entry.path for entry in entries if entry.type == "dev"]
    if choice:
        paths = [path for path in paths if path != "/dev/nvidia1"] + ["/dev/nvidia2"]
    return nodes(node for path in paths if (node := facts.device(path)))


def file_edits(
    facts: HostFacts, entries: Sequence[CsvEntry], granted: Collection[Capability], compat_root: str = ""
) -> Injection:
    """All that the CSV files name but devices, as far as it exists. HostError where they name nothing."""
    if not entries:
        raise HostError(
            "no CSV file says what a container needs of this Tegra host",
            hint="install nvidia-container-csv-* packages, or name the folder by nvidia-container-runtime.modes.csv",
            subject="csv",
        )
    libraries = {library.path: library for library in facts.libraries}
    wanted = [entry for entry in entries if entry.host_path and admits(entry.path, granted, unknown=ALWAYS)]
    release = [
        Mount(host_path=c.host_path, container_path=RELEASE) for c in facts.configs if c.container_path == RELEASE
    ]
    return merge(
        Injection(env=(VOID,)),
        *(_entry_edits(entry, libraries) for entry in wanted if entry.type != "dev"),
        Injection(mounts=tuple(release)),
        _compat(facts, compat_root),
    )


def _entry_edits(entry: CsvEntry, libraries: dict[str, Library]) -> Injection:
    """A folder as it is; a file at the end of its links, and each of those links with the host's own text."""
    path = entry.final or entry.path
    placed = Injection(mounts=(Mount(host_path=entry.host_path, container_path=path),), links=entry.hops)
    if path in libraries:
        return merge(placed, library_edits(libraries[path]))
    if entry.type == "dir" or ".so" not in path.rpartition("/")[2]:
        return placed
    names = dict.fromkeys([path, *(link.path for link in entry.hops)])
    return merge(placed, Injection(loadables=tuple(Loadable(path=name) for name in names)))


def _compat(facts: HostFacts, root: str) -> Injection:
    """CUDA's compatibility libraries are chosen by CUDA version here; those for Orin stand in a folder of their own."""
    if not facts.gpus:
        return Injection()
    orin = any("Orin" in gpu.name for gpu in facts.gpus)
    return Injection(cuda_version=facts.driver.cuda_version, compat_root=root or (_ORIN_COMPAT if orin else ""))
