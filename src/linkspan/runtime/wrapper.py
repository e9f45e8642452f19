"""The OCI runtime wrapper: runc's command line in, runc's command line out, and on ``create`` the edits in between.

The launcher (``store.launchers``) sends every other verb straight on and starts this program for ``create`` alone. Its
arguments come first: where the state is kept, how the full program is started, where the hook is; then runc's.
"""

import posix as os
import sys

from linkspan.errors import ConfigError, FormatError, LinkspanError
from linkspan.formats import fastjson, oci, state
from linkspan.kernel import files, stamps
from linkspan.runtime import lookup, patch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, NoReturn

CONFIG_LIMIT: "Final" = 16 << 20
"""Bytes of a config.json; engines write some tens of kilobytes, and a pod with a thousand mounts stays below 1 MiB."""


class Setup:
    """What the launcher says: the state folder, the hook's path and the command that starts the full program."""

    __slots__ = ("full_program", "hook", "state")

    def __init__(self, state: str, hook: str, full_program: "list[str]") -> None:
        self.state = state
        self.hook = hook
        self.full_program = full_program


def main(setup: Setup, argv: "list[str]") -> "NoReturn":
    """Run the wrapper with runc's arguments; never returns."""
    try:
        low_level = _run(setup, argv)
        os.execv(low_level, [low_level, *argv])
    except (LinkspanError, OSError, KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        if _variable("LINKSPAN_DEBUG") == "1":
            raise
        from linkspan.runtime import report  # most starts have nothing to report

        report.failure(error if isinstance(error, LinkspanError) else _unforeseen(error), argv)
    sys.exit(1)


def _unforeseen(error: Exception) -> LinkspanError:
    if isinstance(error, RecursionError):
        return FormatError("config.json is nested too deeply")
    if isinstance(error, OSError):
        return LinkspanError(f"{error.filename or 'the bundle'}: {error.strerror}")
    return FormatError(f"config.json is not an OCI runtime specification: {error}")


def _run(setup: Setup, argv: "list[str]") -> str:
    """Patch the bundle where the verb is create; the low-level runtime to go on with."""
    config_path, search_path = _config_path(), _variable("PATH")
    switches = lookup.read_switches(setup.state, config_path, search_path)
    if not oci.is_create(argv):
        switches = switches or _ask_full_program(setup, b"{}")["switches"]
        return str(switches["low_level"])
    bundle = oci.bundle_of(argv)
    path = f"{bundle}/config.json"
    data = _read_config(path)
    spec = _parse_config(data)
    found = lookup.read_edits(setup.state, spec, switches) if switches else None
    if switches is None or found is None:
        found = _ask_full_program(setup, data)
        switches = found["switches"]
    view = oci.request_view(spec, switches["env_names"], switches["annotation_prefixes"])
    if _apply(setup, spec, bundle, found["edits"]):
        files.write_whole(path, (fastjson.dumps(spec) + "\n").encode(), None, durable=False)
    if switches["log"]:
        from linkspan.runtime import report

        report.success(switches["log"], found["edits"])
    else:
        _keep(setup, config_path, view, found)
    return str(switches["low_level"])


def _keep(setup: Setup, config_path: str, view: "dict[str, Any]", found: "dict[str, Any]") -> None:
    """Leave the launcher what was just applied; what it has to write into a log is not for it."""
    from linkspan.formats import record
    from linkspan.runtime import keep, rootfs

    written = rootfs.written(found["edits"].get("prepare") or {})
    keep.keep_edits(setup.state, record.request_text(config_path, view), found, setup.hook, written)


def _ask_full_program(setup: Setup, config_json: bytes) -> "dict[str, Any]":
    from linkspan.runtime.full_program import run_full_program  # most starts find their edits

    return run_full_program(setup, _config_path(), _variable("PATH"), config_json)


def _config_path() -> str:
    """The toolkit's configuration file, as the engine's environment names it."""
    return state.config_path(_variable("NVIDIA_CTK_CONFIG_FILE_PATH"), _variable("XDG_CONFIG_HOME"))


def _variable(name: str) -> str:
    """A variable of the engine's environment; empty where it is not set."""
    return os.environ.get(name.encode(), b"").decode("utf-8", "surrogateescape")


def _read_config(path: str) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:
            data = file.read(CONFIG_LIMIT + 1)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}", hint="is the bundle the right folder?") from None
    if data is None or len(data) > CONFIG_LIMIT:
        raise FormatError(f"{path} is larger than {CONFIG_LIMIT >> 20} MiB", subject=path)
    return data


def _parse_config(data: bytes) -> "dict[str, Any]":
    try:
        spec = fastjson.loads(data.decode())
    except UnicodeDecodeError as error:
        raise FormatError(f"config.json is not UTF-8 at byte {error.start}") from None
    except FormatError as error:
        raise FormatError(f"config.json cannot be read: {error.message}") from None
    if not isinstance(spec, dict):
        raise FormatError("config.json is not a JSON object")
    return spec


def _apply(setup: Setup, spec: "dict[str, Any]", bundle: str, edits: "dict[str, Any]") -> bool:
    changed = patch.apply(spec, edits)
    arguments: list[str] = []
    if "prepare" in edits and not _prepare(setup, spec, bundle, edits["prepare"]):
        arguments += edits["hook_arguments"]
    elif edits.get("mask_params") and stamps.exists(oci.PARAMS):
        # Only a hook can: runc refuses mounts below /proc.
        arguments.append("--mask-params")
    if arguments:
        patch.add_hook(spec, {**edits["hook"], "path": setup.hook, "args": [*edits["hook"]["args"], *arguments]})
    return changed


def _prepare(setup: Setup, spec: "dict[str, Any]", bundle: str, work: "dict[str, Any]") -> bool:
    from linkspan.runtime.rootfs import prepare_root  # not needed by a container without a GPU

    return prepare_root(spec, bundle, work, setup.state)
