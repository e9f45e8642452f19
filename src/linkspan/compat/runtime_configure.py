"""``nvidia-ctk runtime configure``: the toolkit's request, carried out by the editors of ``linkspan engine``.

So comments, order and unknown keys stay, the result is checked and written whole, and ``linkspan engine unconfigure``
takes it back.
"""

import json
import os
import posixpath
import sys
from collections.abc import Callable

from linkspan.engines import change, checkers, daemon
from linkspan.engines.journal import Journal
from linkspan.engines.model import Wanted
from linkspan.engines.places import Host, default_path, locate
from linkspan.facts.model import Model
from linkspan.kernel import files, trees

Say = Callable[[str], None]

_PROGRAMS = {
    "docker": "nvidia-container-runtime",
    "containerd": "/usr/bin/nvidia-container-runtime",
    "crio": "/usr/bin/nvidia-container-runtime",
}
"""What the runtime starts, unless told otherwise; dockerd looks for it along its own PATH."""
_CRIO_DROP_IN = "/etc/crio/crio.conf.d/99-nvidia.toml"
_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


class Options(Model, frozen=True, kw_only=True):
    """The flags, as they were given; an empty text is the default of the engine that is configured.

    ``drop_in`` is None where the flag was not given, since giving it empty means something else.
    """

    runtime: str = "docker"
    config: str = ""
    drop_in: str | None = None
    config_source: str = "file"
    executable_path: str = ""
    config_mode: str = "config-file"
    oci_hook_path: str = ""
    runtime_name: str = "nvidia"
    runtime_path: str = ""
    runtime_hook_path: str = "/usr/bin/nvidia-container-runtime-hook"
    set_as_default: bool = False
    cdi: bool = False
    dry_run: bool = False


def run(options: Options, say: Say, host: Host | None = None) -> None:
    """Let an engine know the runtime. Raises LinkspanError where that cannot be done."""
    if options.config_mode == "oci-hook":
        _write_hook(options)
    else:
        _edit(options, say, host or Host(uid=os.geteuid(), env=dict(os.environ)))


def _edit(options: Options, say: Say, host: Host) -> None:
    place = locate(options.runtime, _asked(options, host), host)
    journal = Journal(host.state_folder, place)
    plan = change.plan_configure(place, journal, _wanted(options))
    if options.runtime == "containerd" and options.drop_in:
        say(f"ignoring --drop-in-config: {place.target} is what containerd goes by, and is edited")
    for note in plan.notes:
        say(note)
    if options.dry_run:
        sys.stdout.write((plan.new or b"").decode())
        return
    if not plan.changes_file:
        change.tidy(journal)
        say(f"{place.target} has all of it already")
        return
    say(checkers.check(place, plan.current.data, plan.new or b"", host.env))
    change.carry_out(plan, journal)
    say(f"wrote {place.target}; 'linkspan engine unconfigure {_named(options, place.asked)}' takes it back")
    say(f"it is recommended that the {options.runtime} daemon be restarted")


def _asked(options: Options, host: Host) -> str:
    """The file to edit: CRI-O's drop-in is one of its own, and other engines are edited where it counts."""
    if options.runtime == "crio" and options.drop_in != "":
        return options.drop_in or f"{host.root}{_CRIO_DROP_IN}"
    if options.config:
        return os.path.abspath(options.config)
    told = daemon.config_file(options.runtime, daemon.find(options.runtime, host))
    usual = default_path(options.runtime, host, {options.runtime: told} if told else {})
    return f"{host.root}/etc/crio/crio.conf" if options.runtime == "crio" else usual


def _named(options: Options, asked: str) -> str:
    return f"{options.runtime} --config {asked}" if options.config or options.runtime == "crio" else options.runtime


def _wanted(options: Options) -> Wanted:
    """The toolkit replaces an entry of that name whatever it starts, and switches CDI on only where it is told to."""
    return Wanted(
        name=options.runtime_name,
        program=options.runtime_path or _PROGRAMS[options.runtime],
        default=options.set_as_default,
        cdi=options.cdi and options.runtime != "crio",
        replace=True,
    )


def _write_hook(options: Options) -> None:
    """The hook that OCI engines with a folder of hooks apply to every container (contract 7.1)."""
    text = json.dumps(_hook(options.runtime_hook_path), indent=2) + "\n"
    if not options.oci_hook_path:
        sys.stdout.write(text)
        return
    trees.make_folders(os.path.dirname(os.path.abspath(options.oci_hook_path)))
    files.write_whole(options.oci_hook_path, text.encode())


def _hook(program: str) -> dict[str, object]:
    folder, name = posixpath.split(program)
    path = ":".join(dict.fromkeys((*_PATH, folder)))
    return {
        "version": "1.0.0",
        "hook": {"path": program, "args": [name, "prestart"], "env": [f"PATH={path}"]},
        "when": {"always": True, "commands": [".*"]},
        "stages": ["prestart"],
    }
