"""``linkspan facts``: what this host has, for people as a table, for programs as JSON."""

import json
from typing import Annotated

import typer
from rich.text import Text

from linkspan.cli import output
from linkspan.facts import snapshot
from linkspan.facts.model import Gpu, HostFacts

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
        columns = ("GPU", "name", "UUID", "PCI", "memory", "node")
        output.show(output.table(columns, (row for gpu in host.gpus for row in _gpu_rows(gpu))))
    if host.missing:
        output.show(output.table(("not found", "because"), ((item.part, item.reason) for item in host.missing)))


def _overview(host: HostFacts) -> list[tuple[str, str]]:
    driver = host.driver
    kind = {None: "", True: "open kernel modules", False: "proprietary kernel modules"}[driver.open_kernel_modules]
    cuda = f"CUDA {driver.cuda_version}" if driver.cuda_version else ""
    wide = sum(library.bits == 64 for library in host.libraries)
    return [
        ("system", _joined(host.os_release.get("PRETTY_NAME", ""), host.kernel, host.arch)),
        ("platform", _KINDS[host.platform]),
        ("driver", _joined(driver.version or "none", cuda, kind)),
        ("driver root", host.root),
        ("modules", ", ".join(module.name for module in host.modules) or "none"),
        ("libraries", _joined(f"{wide} of 64 bits", f"{len(host.libraries) - wide} of 32", *host.library_folders)),
        ("programs", ", ".join(file.path.rpartition("/")[2] for file in host.binaries) or "none"),
        ("sockets", ", ".join(file.path for file in host.sockets) or "none"),
        ("devices", ", ".join(node.path.removeprefix("/dev/") for node in host.devices) or "none"),
    ]


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _gpu_rows(gpu: Gpu) -> list[tuple[str, ...]]:
    memory = f"{gpu.memory_mib} MiB" if gpu.memory_mib else ""
    rows: list[tuple[str, ...]] = [
        (str(gpu.index), gpu.name, gpu.uuid, gpu.pci_bus_id, memory, gpu.path or "missing"),
    ]
    for mig in gpu.mig:
        access = " ".join(path.rpartition("/")[2] for path in mig.access) or "missing"
        rows.append((f"{gpu.index}:{mig.index}", f"MIG {mig.profile}", mig.uuid, "", f"{mig.memory_mib} MiB", access))
    return rows
