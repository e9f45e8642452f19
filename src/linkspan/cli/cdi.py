"""``linkspan cdi``: CDI specs written, listed, checked and kept up to date.

The options of ``generate`` are those of ``nvidia-ctk cdi generate`` (contract 5.1), as far as they mean something here:
we start no ldconfig, so there is no ``--ldconfig-path``.
"""

import os
import sys
from collections.abc import Iterable
from typing import Annotated, Any, get_args

import typer

from linkspan.cli import output as out
from linkspan.emit import cdi as emit
from linkspan.emit import cdi_origin
from linkspan.errors import KernelError
from linkspan.facts import snapshot
from linkspan.facts.model import HostFacts
from linkspan.facts.snapshot import Search
from linkspan.formats import state, toolkit_config
from linkspan.formats.cdi import Document
from linkspan.kernel import scope
from linkspan.plan.cdi import CdiMode, CdiOptions, NameStrategy, plan_cdi
from linkspan.plan.wording import plural
from linkspan.store import dev_char, making, refresh, registry, spec_file
from linkspan.store.spec_file import Format, SpecFile
from linkspan.store.state import read_config

app = typer.Typer(help="Write, list, check and refresh CDI specs.", no_args_is_help=True)

REFRESHED = "/var/run/cdi/nvidia.yaml"

Output = Annotated[
    str,
    typer.Option(
        "--output", metavar="FILE", envvar=["LINKSPAN_CDI_OUTPUT", "NVIDIA_CTK_CDI_OUTPUT_FILE_PATH"],
        help="The file to write; its extension, .yaml or .json, is its format.",
    ),
]  # fmt: skip
DriverRoot = Annotated[
    str,
    typer.Option(
        "--driver-root", metavar="DIR", envvar=["LINKSPAN_CDI_DRIVER_ROOT", "NVIDIA_CTK_DRIVER_ROOT"],
        help="The root below which the driver is; else nvidia-container-cli.root of config.toml, else /.",
    ),
]  # fmt: skip
DevRoot = Annotated[
    str,
    typer.Option(
        "--dev-root", metavar="DIR", envvar=["LINKSPAN_CDI_DEV_ROOT", "NVIDIA_CTK_DEV_ROOT"],
        help="The root below which /dev is; by default the driver root, if it has one.",
    ),
]  # fmt: skip
HookPath = Annotated[
    str,
    typer.Option(
        "--hook-path", "--nvidia-cdi-hook-path", metavar="FILE",
        help="The hook program, as the OCI runtime finds it on the host; by default the installed linkspan-hook.",
    ),
]  # fmt: skip
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Many = list[str] | None


@app.command()
def generate(
    *,
    output: Output = "",
    form: Annotated[str, typer.Option("--format", help="yaml or json, where the file's extension is neither.")] = "",
    mode: Annotated[
        str, typer.Option("--mode", "--discovery-mode", help=f"One of {', '.join(get_args(CdiMode))}.")
    ] = "auto",
    driver_root: DriverRoot = "",
    dev_root: DevRoot = "",
    names: Annotated[
        Many,
        typer.Option("--device-name-strategy", help="index, uuid or type-index; may be repeated.  [index,uuid]"),
    ] = None,
    devices: Annotated[
        Many,
        typer.Option(
            "--device-id", "--device-ids", "--device", "--devices",
            help="A GPU or MIG device to put into the spec, or an IMEX channel; may be repeated.  [all]",
        ),
    ] = None,
    no_all_device: Annotated[bool, typer.Option("--no-all-device", help="Leave out the device 'all'.")] = False,
    vendor: Annotated[str, typer.Option("--vendor", "--cdi-vendor", help="The vendor of the kind.")] = "nvidia.com",
    device_class: Annotated[str, typer.Option("--class", "--cdi-class", help="The class of the kind.")] = "gpu",
    hook_path: HookPath = "",
    library_paths: Annotated[
        Many, typer.Option("--library-search-path", help="Look for libraries here instead; may be repeated.")
    ] = None,
    config_paths: Annotated[
        Many, typer.Option("--config-search-path", help="Look for vendor files here instead; may be repeated.")
    ] = None,
    csv_files: Annotated[Many, typer.Option("--csv.file", help="A Tegra CSV file; may be repeated.")] = None,
    csv_ignored: Annotated[
        Many, typer.Option("--csv.ignore-pattern", help="Symlinks of CSV files to leave out; may be repeated.")
    ] = None,
    compat_root: Annotated[
        str, typer.Option("--csv.compat-container-root", help="Where the container's compatibility libraries are.")
    ] = "",
    disabled: Annotated[
        Many, typer.Option("--disable-hook", "--disable-hooks", help="What the hook is not to do, or all.")
    ] = None,
    enabled: Annotated[
        Many, typer.Option("--enable-hook", "--enable-hooks", help="What it is to do even so.")
    ] = None,
    features: Annotated[
        Many, typer.Option("--feature-flag", "--feature-flags", help="A feature to switch; may be repeated.")
    ] = None,
    from_file: Annotated[
        str, typer.Option("--from", metavar="FACTS", help="Use facts saved by 'linkspan facts --save', not this host.")
    ] = "",
) -> None:  # fmt: skip
    """Write a CDI spec for this host, on standard output or to a file."""
    options = CdiOptions(
        mode=_one_of("--mode", mode, CdiMode),
        vendor=vendor,
        class_=device_class,
        names=tuple(_one_of("--device-name-strategy", name, NameStrategy) for name in _split(names or ["index,uuid"])),
        device_ids=_split(devices or ["all"]),
        all_device=not no_all_device,
        features=_split(features),
        disabled_hooks=_split(disabled),
        enabled_hooks=_split(enabled),
        compat_root=compat_root,
    )
    chosen: Format | None = _one_of("--format", form.lower(), Format) if form else None
    search = _search(driver_root, dev_root, _split(library_paths), _split(config_paths), _split(csv_files))
    facts = making.without_links(_facts(search, from_file), _split(csv_ignored))
    document = _document(facts, options, hook_path)
    _put(document, facts, output, chosen)


@app.command("list")
def list_devices(
    folders: Annotated[
        Many,
        typer.Option("--spec-dir", metavar="DIR", help="A folder of CDI specs; may be repeated, the last one wins."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the CDI devices that engines find on this host, and why others are not among them."""
    found = registry.load(_split(folders) or registry.SPEC_FOLDERS)
    if as_json:
        devices = [{"name": name, "file": device.spec.path} for name, device in found.devices.items()]
        out.show_json({"devices": devices, "conflicts": found.conflicts, "broken": found.broken})
    elif found.devices:
        typer.echo("\n".join(found.devices))
    typer.echo(f"found {plural(len(found.devices), 'CDI device')}", err=True)
    for warning in found.warnings():
        out.warn(warning)


@app.command()
def validate(
    paths: Annotated[list[str], typer.Argument(metavar="FILE...", help="CDI specs; - is standard input.")],
    as_json: AsJson = False,
) -> None:
    """Check CDI specs: every problem with its line, its address and the reason. Exit code 1 where there is any."""
    specs = [_checked(path) for path in paths]
    if as_json:
        out.show_json([_as_json(spec) for spec in specs])
    else:
        typer.echo("\n".join(line for spec in specs for line in _verdict(spec)))
    if any(spec.problems for spec in specs):
        raise typer.Exit(out.FAILED)


@app.command("refresh")
def refresh_spec(
    *,
    output: Output = REFRESHED,
    driver_root: DriverRoot = "",
    dev_root: DevRoot = "",
    hook_path: HookPath = "",
    state_dir: Annotated[
        str, typer.Option("--state-dir", metavar="DIR", help="Where the facts are kept for the start path.")
    ] = state.FOLDER,
    force: Annotated[bool, typer.Option("--force", help="Replace a good spec by a poorer one, too.")] = False,
    watch_s: Annotated[
        float,
        typer.Option(
            "--watch",
            metavar="SECONDS",
            min=0,
            help="Go on, and look so often whether the host has changed: for hosts without systemd.",
        ),
    ] = 0,
    no_dev_char: Annotated[
        bool, typer.Option("--no-dev-char", help="Leave the links in /dev/char to the device nodes as they are.")
    ] = False,
) -> None:
    """Write the CDI spec anew where the host has changed, never a poorer one over a good one.

    Every device node of the driver gets its link in /dev/char, by which runc and systemd know it, and what prestart
    hooks left to systemd for containers that are gone is removed.

    Exit code 0: the spec is as the host is, be it written or not. 1: it was not written, and why not.
    3: the file or its folder cannot be written. With --watch only a signal ends it.
    """

    def once() -> HostFacts:
        facts = _facts(_search(driver_root, dev_root))
        scope.prune()
        if not no_dev_char:
            _keep_links(facts)
        document = _document(facts, CdiOptions(), hook_path)
        typer.echo(refresh.refresh(document, facts, output, state_dir, force=force).summary)
        return facts

    if watch_s:
        refresh.watch(once, watch_s, lambda error: typer.echo(f"linkspan: {error}", err=True))
    else:
        once()


def _keep_links(facts: HostFacts) -> None:
    """Keep the links in /dev/char; a spec is as good without them."""
    try:
        kept = dev_char.keep(facts)
    except KernelError as error:
        out.warn(f"the links to device nodes are not kept: {error.message}", "--no-dev-char leaves them be")
        return
    if kept.made or kept.removed:
        folder = dev_char.folder_of(facts.dev_root)
        typer.echo(f"{folder}: {plural(kept.made, 'link')} to device nodes made, {kept.removed} removed")


def _one_of(option: str, value: str, literal: Any) -> Any:
    """The value, as one of the members of a Literal type."""
    if value not in get_args(literal):
        raise typer.BadParameter(f"{option} is '{value}', not one of {', '.join(get_args(literal))}")
    return value


def _split(values: Iterable[str] | None) -> tuple[str, ...]:
    """The values of a repeated option, each of which may be a list with commas."""
    return tuple(dict.fromkeys(part.strip() for value in values or () for part in value.split(",") if part.strip()))


def _search(
    driver_root: str,
    dev_root: str,
    libraries: tuple[str, ...] = (),
    configs: tuple[str, ...] = (),
    csv_files: tuple[str, ...] = (),
) -> Search:
    for option, paths in (("--library-search-path", libraries), ("--config-search-path", configs)):
        if relative := [path for path in paths if not path.startswith("/")]:
            raise typer.BadParameter(f"{option} is '{relative[0]}', not an absolute path")
    return Search(
        root=os.path.abspath(driver_root) if driver_root else _configured_root(),
        dev_root=os.path.abspath(dev_root) if dev_root else "",
        library_search_paths=libraries,
        config_search_paths=configs,
        csv_files=csv_files or Search().csv_files,
    )


def _configured_root() -> str:
    config, _ = read_config(toolkit_config.config_path(os.environ)[0])
    return config.nvidia_container_cli.root or "/"


def _facts(search: Search, from_file: str = "") -> HostFacts:
    if not from_file:
        return snapshot.collect(search)
    if search != Search(root=_configured_root()):
        raise typer.BadParameter("--from stands for a whole host: leave out the roots and search paths")
    return snapshot.load(from_file)


def _document(facts: HostFacts, options: CdiOptions, hook_path: str) -> Document:
    document = emit.document(plan_cdi(facts, options), _hook(hook_path))
    for warning in making.nvml_warnings(facts):
        out.warn(warning)
    return document


def _hook(path: str) -> str:
    """The hook program to name in a spec: the one given, else the installed one."""
    chosen = making.hook_program(path)
    if not chosen.startswith("/"):
        raise typer.BadParameter(f"--hook-path is '{chosen}', not an absolute path")
    if not os.access(chosen, os.X_OK):
        out.warn(f"the hook {chosen} is not there, and containers need it", "put it in place with 'linkspan install'")
    return chosen


def _put(document: Document, facts: HostFacts, output: str, chosen: Format | None) -> None:
    origin = cdi_origin.of(facts)
    if not output:
        sys.stdout.write(spec_file.render(document, chosen or "yaml", origin).decode())
        return
    path, form = spec_file.place(output, chosen)
    if chosen and chosen != form:
        out.warn(f"{path} is written as {form.upper()}, as its extension says, not as {chosen.upper()}")
    spec_file.write(path, spec_file.render(document, form, origin))
    typer.echo(f"wrote {path}: {plural(len(document['devices']), 'device')} of {document['kind']}", err=True)


def _checked(path: str) -> SpecFile:
    if path != "-":
        return spec_file.read(path)
    return spec_file.check("standard input", sys.stdin.buffer.read(spec_file.SIZE_LIMIT + 1))


def _verdict(spec: SpecFile) -> list[str]:
    if spec.document is None:
        return [spec_file.describe(spec.path, problem) for problem in spec.problems]
    devices = plural(len(spec.document["devices"]), "device")
    return [f"{spec.path}: valid, {devices} of {spec.document['kind']}, CDI {spec.document['cdiVersion']}"]


def _as_json(spec: SpecFile) -> dict[str, Any]:
    problems = [{"line": item.line, "address": item.address, "reason": item.reason} for item in spec.problems]
    return {"file": spec.path, "valid": not problems, "problems": problems}
