"""``nvidia-ctk cdi``: specs made, listed and moved to another root (contract 5.1, 5.2 and 5.8)."""

import os
import sys
from collections.abc import Collection, Iterable
from typing import Any, get_args

from linkspan.compat import ctk_transform
from linkspan.compat.commands import Call, Command
from linkspan.compat.goflags import Flag, Kind, WrongUsage
from linkspan.emit import cdi as emit
from linkspan.emit import cdi_origin
from linkspan.emit.cdi_origin import Origin
from linkspan.facts import snapshot
from linkspan.facts.snapshot import Search
from linkspan.formats.cdi import Document
from linkspan.plan.cdi import CdiMode, CdiOptions, NameStrategy, plan_cdi
from linkspan.plan.switches import FEATURES, HOOKS
from linkspan.plan.wording import plural, quoted
from linkspan.store import making, registry, spec_file
from linkspan.store.spec_file import Format
from linkspan.store.state import read_config


def _flag(
    names: tuple[str, ...], text: str, env: str = "", kind: Kind = "text", default: str = "", *, short: bool = False
) -> Flag:
    """A flag of ``cdi generate``; its variable has the command's name in it, but for the few that are shared."""
    variable = f"NVIDIA_CTK_{env}" if short else f"NVIDIA_CTK_CDI_GENERATE_{env}"
    return Flag(names, text, kind, default, (variable,) if env else ())


_FLAGS = (
    _flag(("output",), "the file to write; - or nothing is standard output", "CDI_OUTPUT_FILE_PATH", short=True),
    _flag(("format",), "json or yaml, where the file's extension is neither", "OUTPUT_FORMAT"),
    _flag(("mode", "discovery-mode"), f"one of {', '.join(get_args(CdiMode))}", "MODE", default="auto"),
    _flag(("driver-root",), "the root of the driver installation", "DRIVER_ROOT", short=True),
    _flag(("dev-root",), "the root below which /dev is", "DEV_ROOT", short=True),
    _flag(
        ("device-name-strategy",), "index, uuid or type-index", "DEVICE_NAME_STRATEGIES", "list", default="index,uuid"
    ),
    _flag(("config-search-path",), "look for vendor files here instead", "CONFIG_SEARCH_PATHS", "list"),
    _flag(("library-search-path",), "look for libraries here instead", "LIBRARY_SEARCH_PATHS", "list"),
    _flag(("nvidia-cdi-hook-path", "nvidia-ctk-path"), "the hook program on the host", "CDI_HOOK_PATH", short=True),
    _flag(("ldconfig-path",), "accepted and not needed: no ldconfig is run", "LDCONFIG_PATH"),
    _flag(("vendor", "cdi-vendor"), "the vendor of the kind", "VENDOR", default="nvidia.com"),
    _flag(("class", "cdi-class"), "the class of the kind", "CLASS", default="gpu"),
    _flag(("csv.file",), "a Tegra CSV file", "CSV_FILES", "list"),
    _flag(("csv.ignore-pattern",), "symlinks of CSV files to leave out", "CSV_IGNORE_PATTERNS", "list"),
    _flag(
        ("csv.compat-container-root",), "where the container's compatibility libraries are", "CSV_CONTAINER_COMPAT_ROOT"
    ),
    _flag(("disable-hook", "disable-hooks"), "what the hook is not to do, or all", "DISABLED_HOOKS", "list"),
    _flag(("enable-hook", "enable-hooks"), "what it is to do even so", "ENABLED_HOOKS", "list"),
    _flag(("feature-flag", "feature-flags"), "a feature to switch", "FEATURE_FLAGS", "list"),
    _flag(("no-all-device",), "leave out the device 'all'", "NO_ALL_DEVICE", "switch"),
    _flag(
        ("device-id", "device-ids", "device", "devices"), "the devices to put in", "DEVICE_IDS", "list", default="all"
    ),
)


def _generate(call: Call) -> None:
    values = call.values
    form: Format | None = _one_of(values.text("format").lower(), "format", Format) if values.given("format") else None
    options = _options(call)
    facts = making.without_links(snapshot.collect(_search(call)), values.items("csv.ignore-pattern"))
    for warning in making.nvml_warnings(facts):
        call.say(warning)
    document = emit.document(plan_cdi(facts, options), _hook(call))
    output = values.text("output")
    _put(call, document, "" if output == "-" else output, form, cdi_origin.of(facts))


def _options(call: Call) -> CdiOptions:
    values = call.values
    strategies = values.items("device-name-strategy")
    if "all" in values.items("enable-hook"):
        raise WrongUsage("enabling all hooks at once is not supported", hint="name the hooks to enable")
    return CdiOptions(
        mode=_one_of(values.text("mode").lower(), "discovery mode", CdiMode),
        vendor=values.text("vendor"),
        class_=values.text("class"),
        names=tuple(_one_of(name, "device name strategy", NameStrategy) for name in strategies),
        device_ids=values.items("device-id"),
        all_device=not values.switch("no-all-device"),
        features=_known(call, "feature-flag", FEATURES),
        disabled_hooks=_known(call, "disable-hook", {*HOOKS, "all"}),
        enabled_hooks=_known(call, "enable-hook", HOOKS),
        compat_root=values.text("csv.compat-container-root"),
    )


def _one_of(value: str, what: str, literal: Any) -> Any:
    """The value, as one of the members of a Literal type."""
    if value not in get_args(literal):
        raise WrongUsage(f"invalid {what}: {quoted(value)}", hint=f"it is one of {', '.join(get_args(literal))}")
    return value


def _known(call: Call, flag: str, names: Collection[str]) -> tuple[str, ...]:
    """The names that exist. The toolkit takes any, so that one command line serves several of its versions."""
    for name in call.values.items(flag):
        if name not in names:
            call.say(f"--{flag}: there is no {quoted(name)}, so it is left out; there are {', '.join(sorted(names))}")
    return tuple(name for name in call.values.items(flag) if name in names)


def _search(call: Call) -> Search:
    values = call.values
    for flag in ("config-search-path", "library-search-path"):
        for path in values.items(flag):
            if not path.startswith("/"):
                raise WrongUsage(f"--{flag} is {quoted(path)}, not an absolute path")
    root = values.text("driver-root") or read_config(call.config_path())[0].nvidia_container_cli.root or "/"
    return Search(
        root=os.path.abspath(root),
        dev_root=os.path.abspath(values.text("dev-root")) if values.text("dev-root") else "",
        library_search_paths=values.items("library-search-path"),
        config_search_paths=values.items("config-search-path"),
        csv_files=values.items("csv.file") or Search().csv_files,
    )


def _hook(call: Call) -> str:
    chosen = making.hook_program(call.values.text("nvidia-cdi-hook-path"))
    if not chosen.startswith("/"):
        raise WrongUsage(f"--nvidia-cdi-hook-path is {quoted(chosen)}, not an absolute path")
    if not os.access(chosen, os.X_OK):
        call.say(f"the hook {chosen} is not there, and containers need it; put it in place with 'linkspan install'")
    return chosen


def _put(call: Call, document: Document, output: str, form: Format | None, origin: Origin | None = None) -> None:
    """Write a spec to a file by its extension, or to standard output."""
    path, decided = spec_file.place(output, form) if output else ("", form or "yaml")
    if form and decided != form:
        call.say(f"{path} is written as {decided.upper()}, as its extension says, not as {form.upper()}")
    text = spec_file.render(document, decided, origin)
    if not output:
        sys.stdout.write(text.decode())
        return
    spec_file.write(path, text)
    call.say(f"wrote {path}: {plural(len(document['devices']), 'device')} of {document['kind']}")


def _list(call: Call) -> None:
    folders = call.values.items("spec-dir")
    found = registry.load(folders)
    for warning in found.warnings():
        call.say(warning)
    if not call.quiet:
        sys.stderr.write(f"Found {len(found.devices)} CDI devices\n")
    _print(found.devices)


def _print(lines: Iterable[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _transform_root(call: Call) -> None:
    values = call.values
    move = ctk_transform.Move(values.text("from"), values.text("to"), values.text("relative-to"))
    if move.relative_to not in ("host", "container"):
        raise WrongUsage(
            f"invalid --relative-to value: {quoted(move.relative_to)}", hint="it is one of host, container"
        )
    spec = ctk_transform.read(values.text("input"), sys.stdin.buffer)
    output = values.text("output")
    _put(call, ctk_transform.transform(spec, move), "" if output == "-" else output, None)


GENERATE = Command("generate", "generate CDI specifications for use with CDI-enabled runtimes", _FLAGS, _generate)
LIST = Command(
    "list",
    "list the available CDI devices",
    (
        Flag(
            ("spec-dir",),
            "a folder of CDI specifications",
            "list",
            ",".join(registry.SPEC_FOLDERS),
            ("NVIDIA_CTK_CDI_SPEC_DIRS",),
        ),
    ),
    _list,
)
ROOT = Command(
    "root",
    "apply a root transform to a CDI specification",
    (
        Flag(("from",), "the root to be transformed"),
        Flag(("to",), "the replacement root"),
        Flag(("relative-to",), "whether the root is one of the host or of the container", default="host"),
        Flag(("input",), "the file to read; - is standard input", default="-"),
        Flag(("output",), "the file to write; - or nothing is standard output"),
    ),
    _transform_root,
)
