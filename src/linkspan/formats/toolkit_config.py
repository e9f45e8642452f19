"""The toolkit's ``config.toml``, so that an existing installation keeps its settings (contract 1.1 and 1.2).

A key that the file sets replaces the default, also with ``""`` or ``[]``; keys that we do not know are left alone. What
cannot be followed is refused with the line it stands in, what was found, and what would be right.
"""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args

import msgspec

from linkspan.errors import ConfigError
from linkspan.formats import state

ENVIRONMENT = "NVIDIA_CTK_CONFIG_FILE_PATH"
"""The variable that names the file; a file named so has to exist for the hook, and is worth a warning for all."""

ALL_CAPABILITIES = "compat32,compute,display,graphics,ngx,utility,video"
"""What ``supported-driver-capabilities`` says where nothing is said: every capability there is."""

Mode = Literal["auto", "legacy", "csv", "cdi", "jit-cdi"]
CudaCompatMode = Literal["disabled", "hook", "ldconfig", "mount"]
LogLevel = Literal["trace", "debug", "info", "warn", "warning", "error", "fatal", "panic"]

Key = tuple[str, ...]
"""A key with its tables: ``("nvidia-container-cli", "root")``."""


class Table(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """The base of all tables: frozen, with the file's spelling of the names; unknown keys are ignored."""


class ContainerCli(Table, frozen=True, kw_only=True):
    """``[nvidia-container-cli]``; ``root`` is the driver root and the device root, empty for ``/``."""

    root: str = ""
    path: str = ""
    environment: tuple[str, ...] = ()
    debug: str = ""
    ldcache: str = ""
    load_kmods: bool = True
    no_pivot: bool = False
    no_cgroups: bool = False
    user: str = ""
    ldconfig: str = "@/sbin/ldconfig"


class Ctk(Table, frozen=True, kw_only=True):
    """``[nvidia-ctk]``: the program that the toolkit writes into hooks."""

    path: str = "nvidia-ctk"


class CsvMode(Table, frozen=True, kw_only=True):
    """``[nvidia-container-runtime.modes.csv]``: Tegra."""

    mount_spec_path: str = "/etc/nvidia-container-runtime/host-files-for-container.d"
    compat_container_root: str = ""


class CdiMode(Table, frozen=True, kw_only=True):
    """``[nvidia-container-runtime.modes.cdi]``: where CDI specs stand and how a bare device name is completed."""

    default_kind: str = "nvidia.com/gpu"
    annotation_prefixes: tuple[str, ...] = ("cdi.k8s.io/",)
    spec_dirs: tuple[str, ...] = ("/etc/cdi", "/var/run/cdi")


class JitCdiMode(Table, frozen=True, kw_only=True):
    """``[nvidia-container-runtime.modes.jit-cdi]``."""

    nvcdi_feature_flags: tuple[str, ...] = ()
    nvcdi_disable_hooks: tuple[str, ...] = ()


class LegacyMode(Table, frozen=True, kw_only=True):
    """``[nvidia-container-runtime.modes.legacy]``."""

    cuda_compat_mode: CudaCompatMode = "ldconfig"


class Modes(Table, frozen=True, kw_only=True):
    """``[nvidia-container-runtime.modes]``: what belongs to one mode each."""

    csv: CsvMode = CsvMode()
    cdi: CdiMode = CdiMode()
    jit_cdi: JitCdiMode = JitCdiMode()
    legacy: LegacyMode = LegacyMode()


class Runtime(Table, frozen=True, kw_only=True):
    """``[nvidia-container-runtime]``; ``runtimes`` are the low-level runtimes, the first one found is used."""

    debug: str = "/dev/null"
    log_level: LogLevel = "info"
    runtimes: tuple[str, ...] = ("runc", "crun")
    mode: Mode = "auto"
    modes: Modes = Modes()


class RuntimeHook(Table, frozen=True, kw_only=True):
    """``[nvidia-container-runtime-hook]``."""

    path: str = "nvidia-container-runtime-hook"
    skip_mode_detection: bool = False


class Features(Table, frozen=True, kw_only=True):
    """``[features]``: opt-ins, all off until set."""

    allow_cuda_compat_libs_from_container: bool = False
    allow_ldconfig_from_container: bool = False
    allow_unknown_oci_spec_fields: bool = False
    disable_cuda_compat_lib_hook: bool = False
    disable_imex_channel_creation: bool = False
    ignore_imex_channel_requests: bool = False
    no_additional_gids_for_device_nodes: bool = False


class ToolkitConfig(Table, frozen=True, kw_only=True):
    """Every setting of ``config.toml``, merged with the defaults."""

    disable_require: bool = False
    swarm_resource: str = ""
    accept_nvidia_visible_devices_envvar_when_unprivileged: bool = True
    accept_nvidia_visible_devices_as_volume_mounts: bool = False
    supported_driver_capabilities: str = ALL_CAPABILITIES
    nvidia_container_cli: ContainerCli = ContainerCli()
    nvidia_ctk: Ctk = Ctk()
    nvidia_container_runtime: Runtime = Runtime()
    nvidia_container_runtime_hook: RuntimeHook = RuntimeHook()
    features: Features = Features()


def config_path(environ: Mapping[str, str]) -> tuple[str, bool]:
    """Where the file is looked for, and whether the user named it: the first rule that applies (contract 1.1)."""
    named = environ.get(ENVIRONMENT, "")
    return state.config_path(named, environ.get("XDG_CONFIG_HOME", "")), bool(named)


def parse(text: str | bytes, path: str) -> ToolkitConfig:
    """The settings of one file; ``path`` is for messages. Raises ConfigError naming FILE:LINE."""
    text = text if isinstance(text, str) else _decode(text, path)
    data = _load(text, path)
    try:
        config = msgspec.convert(data, ToolkitConfig)
    except msgspec.ValidationError:
        # Which key it is about is found by trying each of them, not by reading the library's message.
        key, message, hint = next(_problems(data, ToolkitConfig, ()))
        raise _refusal(text, path, key, message, hint) from None
    _check_ldconfig(config, text, path)
    _check_capabilities(config, text, path)
    return config


def settings(config: ToolkitConfig) -> Iterator[tuple[Key, object]]:
    """Every setting with its key, in the order of this module."""
    return _leaves(config, ())


def lines(text: str) -> dict[Key, int]:
    """The line of every key and table that a valid file sets, known or not; of a value of several lines, the first."""
    found: dict[Key, int] = {}
    table: Key = ()
    for number, statement in _statements(text):
        tree = tomllib.loads(statement)
        if statement.lstrip().startswith("["):
            table = next(_tree_leaves(tree, ()))
            found.setdefault(table, number)
        else:
            for key in _tree_leaves(tree, table):
                found.setdefault(key, number)
    return found


def _decode(data: bytes, path: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        where = f"{path}:{line}"
        message = f"{where}: byte 0x{data[error.start]:02x} is not UTF-8"
        raise ConfigError(message, hint="save the file as UTF-8 text", subject=where) from None


def _load(text: str, path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        message = f"{path}: not valid TOML: nested too deeply"
        raise ConfigError(message, hint="no setting needs that", subject=path) from None
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(str(error), text, path) from None


def _syntax_error(message: str, text: str, path: str) -> ConfigError:
    """``Invalid value (at line 3, column 5)``, the way tomllib says it, in our form."""
    cause, _, place = message.rpartition(" (at ")
    number = place.removeprefix("line ").partition(",")[0]
    where = f"{path}:{number if number.isdigit() else text.rstrip().count(chr(10)) + 1}"
    message = f"{where}: not valid TOML: {cause[:1].lower()}{cause[1:]}"
    return ConfigError(message, hint='settings look like this: key = "value"', subject=where)


def _refusal(text: str, path: str, key: Key, message: str, hint: str) -> ConfigError:
    line = next((line for place, line in lines(text).items() if place[: len(key)] == key), 0)
    where = f"{path}:{line}" if line else path
    return ConfigError(f"{where}: {'.'.join(key)} {message}", hint=hint, subject=where)


def _problems(data: Any, wanted: Any, key: Key) -> Iterator[tuple[Key, str, str]]:
    """The keys that cannot be followed: key, what is wrong with it, what would be right."""
    if isinstance(wanted, type) and issubclass(wanted, Table) and isinstance(data, dict):
        for field in msgspec.structs.fields(wanted):
            if field.encode_name in data:
                yield from _problems(data[field.encode_name], field.type, (*key, field.encode_name))
        return
    try:
        msgspec.convert(data, wanted)
    except msgspec.ValidationError:
        allowed, hint = _wanted(wanted)
        yield key, f"is {_found(data)}, not {allowed}", hint


def _wanted(wanted: Any) -> tuple[str, str]:
    if wanted is bool:
        return "true or false", "write true or false, without quotes"
    if wanted is str:
        return "a string", "put the value in quotes"
    if isinstance(wanted, type) and issubclass(wanted, Table):
        return "a table", "write it as [table] with its keys below"
    if get_args(wanted)[-1] is Ellipsis:
        return "a list of strings", 'write it as ["one", "two"]'
    return f"one of {', '.join(get_args(wanted))}", "choose one of these"


def _found(value: object) -> str:
    """What stands in the file, as a reader would call it."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'the string "{_shortened(value)}"'
        case int() | float():
            return f"the number {_shortened(str(value))}"
        case dict():
            return "a table"
        case list():
            return "a list" if all(isinstance(item, str) for item in value) else "a list of other things than strings"
        case _:
            return "a date or time"


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."


def _check_ldconfig(config: ToolkitConfig, text: str, path: str) -> None:
    """``@`` means the host's program: without it an image would choose what runs as root (contract 1.1)."""
    value = config.nvidia_container_cli.ldconfig
    if value.startswith("@") or config.features.allow_ldconfig_from_container:
        return
    message = f'is "{_shortened(value)}", a program of the image: it has to begin with @'
    hint = f'write "@{_shortened(value) or "/sbin/ldconfig"}"; features.allow-ldconfig-from-container permits it'
    raise _refusal(text, path, ("nvidia-container-cli", "ldconfig"), message, hint)


def _check_capabilities(config: ToolkitConfig, text: str, path: str) -> None:
    known = (*ALL_CAPABILITIES.split(","), "all")
    for name in config.supported_driver_capabilities.split(","):
        if name.strip() not in ("", *known):
            message = f'names "{_shortened(name.strip())}", which is no driver capability'
            hint = f"known are {', '.join(known)}"
            raise _refusal(text, path, ("supported-driver-capabilities",), message, hint)


def _leaves(table: Table, key: Key) -> Iterator[tuple[Key, object]]:
    for field in msgspec.structs.fields(table):
        value = getattr(table, field.name)
        here = (*key, field.encode_name)
        if isinstance(value, Table):
            yield from _leaves(value, here)
        else:
            yield here, value


def _tree_leaves(tree: dict[str, Any], key: Key) -> Iterator[Key]:
    """The keys of what tomllib read; an empty table counts as one."""
    for name, value in tree.items():
        if isinstance(value, dict) and value:
            yield from _tree_leaves(value, (*key, name))
        else:
            yield (*key, name)


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """The statements of a valid file with their lines: a line that is no TOML by itself goes on in the next one."""
    pending, start = "", 1
    for number, line in enumerate(text.split("\n"), 1):
        start = start if pending else number
        pending += line + "\n"
        try:
            tomllib.loads(pending)
        except tomllib.TOMLDecodeError:
            continue
        yield start, pending
        pending = ""
