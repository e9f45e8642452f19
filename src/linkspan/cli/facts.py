"""``linkspan facts``: what this host has, for people as a table, for programs as JSON."""

import json
from collections.abc import Iterable, Iterator
from typing import Annotated

import typer
from rich.text import Text

from linkspan.cli import output
from linkspan.facts import snapshot
from linkspan.facts.model import HostFacts

_KINDS = {"nvml": "Linux with the NVIDIA driver", "wsl": "WSL2", "tegra": "Tegra", "none": "no NVIDIA driver found"}


def facts(
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole model, with gpus[].")] = False,
    save: Annotated[str, typer.Option(metavar="FILE", help="Also save the facts, to be replayed with --from.")] = "",
    from_file: Annotated[str, typer.Option("--from", metavar="FILE", help="Show saved facts, not this host.")] = "",
    driver_root: Annotated[str, typer.Option(metavar="DIR", help="The root below which the driver is.")] = "/",
    dev_root: Annotated[
        str,
        typer.Option(metavar="DIR", help="The root below which /dev is; by default the driver root, if it has one."),
    ] = "",
) -> None:
    """Show what this host has: driver, GPUs, MIG, libraries, devices, and what is missing."""
    if from_file:
        host = snapshot.load(from_file)
    else:
        host = snapshot.collect(snapshot.Search(root=driver_root, dev_root=dev_root))
    if save:
        snapshot.save(host, save)
    if as_json:
        output.show_json(json.loads(snapshot.dumps(host)))
    else:
        _show(host)


def _show(host: HostFacts) -> None:
    output.show(output.table(("host", ""), _overview(host)))
    if host.driver.conflict:
        output.show(Text(f"The driver is in two minds: {host.driver.conflict}.", style="bold red"))
    if host.gpus:
        gpus = output.table(("GPU", "UUID", "name", "memory", "node"), _gpu_rows(host))
        gpus.columns[1].no_wrap = True
        output.show(gpus)
    needed = [(item.part, item.reason) for item in host.missing if not item.optional]
    if needed:
        output.show(output.table(("not found", "because"), needed))
    optional = ", ".join(item.part for item in host.missing if item.optional)
    if optional:
        output.show(Text(f"Not here, and not always needed (--json says why): {optional}.", style="dim"))


def _overview(host: HostFacts) -> list[tuple[str, str]]:
    driver = host.driver
    kind = {None: "", True: "open kernel modules", False: "proprietary kernel modules"}[driver.open_kernel_modules]
    cuda = f"CUDA {driver.cuda_version}" if driver.cuda_version else ""
    wide = sum(library.bits == 64 for library in host.libraries)
    system = host.os_release.get("PRETTY_NAME") or host.os_release.get("NAME", "")
    return [
        ("system", _joined(system, host.kernel, host.arch)),
        ("platform", _KINDS[host.platform]),
        ("driver", _joined(driver.version or "none", cuda, kind)),
        ("driver root", host.root),
        ("modules", _joined(*(module.name for module in host.modules)) or "none"),
        ("libraries", _joined(f"{wide} of 64 bits", f"{len(host.libraries) - wide} of 32", *host.library_folders)),
        ("programs", _joined(*(_name(file.path) for file in host.binaries)) or "none"),
        ("sockets", _joined(*(file.path for file in host.sockets)) or "none"),
        ("devices", _joined(*_runs(node.path.removeprefix("/dev/") for node in host.devices)) or "none"),
    ]


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _runs(names: Iterable[str]) -> list[str]:
    """Names that differ in their last number alone, as one each: ``8 nvidia0 … 7``."""
    stems: dict[str, list[str]] = {}
    for name in names:
        stem = name.rstrip("0123456789")
        stems.setdefault(stem, []).append(name[len(stem) :])
    return [
        f"{len(ends)} {stem}{ends[0]} … {ends[-1]}" if len(ends) > 1 else stem + ends[0] for stem, ends in stems.items()
    ]


def _gpu_rows(host: HostFacts) -> Iterator[tuple[str, ...]]:
    for gpu in host.gpus:
        node = "dxg" if host.platform == "wsl" else _name(gpu.path) or "missing"
        yield str(gpu.index), gpu.uuid, gpu.name.removeprefix("NVIDIA "), _memory(gpu.memory_mib), node
        for mig in gpu.mig:
            access = " ".join(_name(path).removeprefix("nvidia-") for path in mig.access) or "missing"
            yield f"{gpu.index}:{mig.index}", mig.uuid, f"MIG {mig.profile}", _memory(mig.memory_mib), access


def _memory(mib: int) -> str:
    return f"{mib / 1024:.0f} GiB" if mib else ""
