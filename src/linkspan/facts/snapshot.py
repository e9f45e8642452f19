"""A look at a whole host, and its saved form: JSON that replays everywhere a live host does."""

from collections.abc import Iterable, Sequence

import msgspec

from linkspan.errors import FormatError, HostError
from linkspan.facts import driver, files, libraries, nodes, nvml, tegra, witnesses, wsl
from linkspan.facts.host import Search, Survey, is_file, survey
from linkspan.facts.model import FORMAT, CsvEntry, DeviceNode, Driver, Gpu, HostFacts, Library, Platform
from linkspan.kernel.files import write_whole

__all__ = ["Search", "collect", "dumps", "load", "loads", "look", "save"]

_TEGRA_GPU_NAMES = ("(nvgpu)", "NVIDIA Thor")
"""How NVML names the GPU of a Tegra board (contract 2.4)."""


def collect(search: Search | None = None, *, ask: nvml.Source = nvml.ask) -> HostFacts:
    """The facts of this machine, or of the host below another root. Raises HostError where a root is not a folder."""
    return look(survey(search or Search()), ask)


def look(here: Survey, ask: nvml.Source = nvml.ask) -> HostFacts:
    """The facts of the host that a survey reads, with the stamps, which are made last, of what was read."""
    facts = unstamped(here, ask)
    return msgspec.structs.replace(facts, stamps=witnesses.stamps(here, facts))


def unstamped(here: Survey, ask: nvml.Source = nvml.ask) -> HostFacts:
    """The facts of the host that a survey reads, and by nothing but its readers: without stamps.

    Order matters at one point: NVML is asked before nodes are read, since it may create them.
    """
    folders = libraries.folders(here)
    found, report = _driver(here, folders, ask)
    caps = driver.mig_minors(here)
    devices = nodes.collect(here)
    gpus = nvml.gpus(here, report, devices, caps)
    csv = tegra.entries(here)
    facts = _user_space(here, folders, HostFacts(platform=_platform(here, folders, found, gpus), driver=found, csv=csv))
    release, machine = here.kernel.uname()
    facts = msgspec.structs.replace(
        facts,
        root=here.files.root or "/",
        dev_root=here.nodes.root or "/",
        arch=machine,
        kernel=release,
        os_release=driver.os_release(here),
        modules=driver.modules(here),
        majors=driver.majors(here),
        devices=(*devices, *_more_nodes(here, gpus, csv)),
        caps=caps,
        gpus=gpus,
        configs=files.configs(here),
        params_modify_device_files=driver.modifies_device_files(here),
    )
    return msgspec.structs.replace(facts, missing=tuple(dict.fromkeys(here.missing)))


def _driver(here: Survey, folders: Sequence[str], ask: nvml.Source) -> tuple[Driver, nvml.Report]:
    """The driver by all its witnesses, and what NVML said."""
    module = driver.kernel_module(here)
    present = libraries.present_versions(here.files, folders)
    version = libraries.chosen_version(here.files, folders, present, module.version if module else "")
    library = libraries.nvml_library(here.files, folders, present.get(version, {}))
    report = _ask(here, library, ask)
    found = driver.decide(
        {"proc": module.version if module else "", "nvml": report.driver_version, "library": version},
        is_open=module.is_open if module else None,
        cuda_version=report.cuda_version,
    )
    if not found.version:
        here.miss("driver", "no kernel module, no NVML and no libcuda or libnvidia-ml tells of one")
    return found, report


def _ask(here: Survey, library: str, ask: nvml.Source) -> nvml.Report:
    if not here.search.nvml:
        here.miss("NVML", "it was not to be asked")
        return nvml.Report()
    if not library:
        here.miss("NVML", "there is no libnvidia-ml.so.1 in any library folder")
        return nvml.Report()
    report = ask(here.files.root + library)
    for error in report.errors:
        here.miss("NVML", f"{library}: {error.rstrip('.')}")
    return report


def _platform(here: Survey, folders: Sequence[str], found: Driver, gpus: Sequence[Gpu]) -> Platform:
    """What kind of host this is (contract 2.4, asked below the driver root, as 9.2 #9 wants)."""
    if wsl.dxcore(here, folders):
        return "wsl"
    named = any(part in gpu.name for gpu in gpus for part in _TEGRA_GPU_NAMES)
    if named or (tegra.is_tegra(here) and not libraries.nvml_library(here.files, folders, {})):
        return "tegra"
    return "nvml" if found.version or gpus else "none"


def _user_space(here: Survey, folders: Sequence[str], facts: HostFacts) -> HostFacts:
    """The facts, with the driver's files, which each platform keeps elsewhere."""
    if facts.platform == "wsl":
        store = wsl.store(here)
        owned = wsl.find(here, wsl.dxcore(here, folders), store)
        facts = msgspec.structs.replace(
            facts, wsl_store=store, binaries=wsl.programs(here, store), folders=wsl.data(here, store)
        )
    else:
        owned = (*_csv_libraries(here, facts.csv), *libraries.find(here, folders, facts.driver.version))
        facts = msgspec.structs.replace(
            facts,
            binaries=files.binaries(here),
            firmware=files.firmware(here, facts.driver.version),
            sockets=files.sockets(here),
            folders=files.folders(here),
        )
    explicit = libraries.find_explicit(here, folders, owned) if owned else ()
    return msgspec.structs.replace(facts, libraries=(*owned, *explicit), library_folders=libraries.main_folders(owned))


def _csv_libraries(here: Survey, csv: Iterable[CsvEntry]) -> tuple[Library, ...]:
    finals = (entry.final for entry in csv if entry.type == "lib" and is_file(here.files, entry.final))
    return libraries.read(here, dict.fromkeys(finals))


def _more_nodes(here: Survey, gpus: Iterable[Gpu], csv: Iterable[CsvEntry]) -> Iterable[DeviceNode]:
    """The nodes that only a GPU or a Tegra specification names."""
    paths = [path for gpu in gpus for path in gpu.drm] + [entry.path for entry in csv if entry.type == "dev"]
    return [found for path in dict.fromkeys(paths) if (found := nodes.node(here.nodes, path))]


def dumps(facts: HostFacts) -> str:
    """The facts as JSON, indented, to be read by people too."""
    return msgspec.json.format(msgspec.json.encode(facts), indent=1).decode() + "\n"


class _Header(msgspec.Struct):
    format: int


def loads(data: bytes | str, path: str = "saved facts") -> HostFacts:
    """Saved facts, read back. Raises FormatError with the address of what does not fit."""
    try:
        version = msgspec.json.decode(data, type=_Header).format
        if version != FORMAT:
            raise FormatError(
                f"{path} has format {version}, and this linkspan reads {FORMAT}",
                hint="save the facts of that host anew",
                subject=path,
            )
        return msgspec.json.decode(data, type=HostFacts)
    except msgspec.DecodeError as error:
        raise FormatError(
            f"{path} is not a saved host: {_lower(str(error))}",
            hint="'linkspan facts --save FILE' writes one",
            subject=path,
        ) from None


def _lower(sentence: str) -> str:
    return sentence if sentence[:2].isupper() else sentence[:1].lower() + sentence[1:]  # JSON keeps its name


def save(facts: HostFacts, path: str) -> None:
    """Write the facts to a file, whole or not at all. Raises KernelError."""
    write_whole(path, dumps(facts).encode())


def load(path: str) -> HostFacts:
    """The facts in a file. Raises HostError where it cannot be read, FormatError where it does not fit."""
    try:
        with open(path, "rb") as file:
            return loads(file.read(), path)
    except OSError as error:
        raise HostError(f"cannot read {path}: {(error.strerror or 'unknown').lower()}", subject=path) from error
