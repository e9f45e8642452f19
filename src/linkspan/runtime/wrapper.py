"""The OCI runtime wrapper: runc's command line in, runc's command line out, and on ``create`` the edits in between.

The launcher (``store.launchers``) sends every other verb straight on and starts this program for ``create`` alone. Its
arguments come first: where the state is kept, how the full program is started, where the hook is; then runc's.
"""

import posix as os
import sys

from linkspan.errors import LinkspanError
from linkspan.formats import fastjson, oci, state
from linkspan.kernel import files, stamps
from linkspan.runtime import given, lookup, patch
from linkspan.runtime.lookup import Setup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn


def main(setup: Setup, argv: "list[str]") -> "NoReturn":
    """Run the wrapper with runc's arguments; never returns."""
    try:
        low_level = _run(setup, argv)
        os.execv(low_level, [low_level, *argv])
    except (LinkspanError, OSError, KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        if lookup.variable("LINKSPAN_DEBUG") == "1":
            raise
        from linkspan.runtime import report  # most starts have nothing to report

        report.failure(error if isinstance(error, LinkspanError) else report.unforeseen(error), argv)
    sys.exit(1)


def _run(setup: Setup, argv: "list[str]") -> str:
    """Patch the bundle where the verb is create; the low-level runtime to go on with."""
    config_path = lookup.config_path()
    if not oci.is_create(argv):
        return str(lookup.find_switches(setup, config_path)["low_level"])
    bundle = oci.bundle_of(argv)
    path = f"{bundle}/config.json"
    data = given.read_config(path)
    spec = given.parse_config(data)
    found = lookup.find(setup, state.WRAPPER, config_path, spec, data)
    if _apply(setup, spec, bundle, found.edits):
        files.write_whole(path, (fastjson.dumps(spec) + "\n").encode(), None, durable=False)
    if found.switches["log"]:
        from linkspan.runtime import report

        report.success(found.switches["log"], found.edits)
    else:
        _keep(setup, found)
    return str(found.switches["low_level"])


def _keep(setup: Setup, found: lookup.Found) -> None:
    """Leave the launcher what was just applied; what it has to write into a log is not for it."""
    from linkspan.runtime import keep, rootfs

    written = rootfs.written(found.edits.get("prepare") or {})
    keep.keep_edits(setup.state, found, setup.hook, written)


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
