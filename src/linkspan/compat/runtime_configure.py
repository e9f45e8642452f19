"""``nvidia-ctk runtime configure``: the toolkit's request, carried out by the editors of ``linkspan engine``.

So comments, order and unknown keys stay, the result is checked and written whole, and ``linkspan engine unconfigure``
takes it back.
"""

import json
import os
import posixpath
import sys
from collections.abc import Callable

import msgspec

from linkspan.compat import engine_source
from linkspan.engines import change, checkers, daemon
from linkspan.engines.journal import Journal
from linkspan.engines.model import Wanted
from linkspan.engines.places import NVIDIAS_CRIO, Host, default_path, locate
from linkspan.facts.model import Model
from linkspan.kernel import files, trees

Say = Callable[[str], None]

_PROGRAMS = {
    "docker": "nvidia-container-runtime",
    "containerd": "/usr/bin/nvidia-container-runtime",
    "crio": "/usr/bin/nvidia-container-runtime",
}
"""What the runtime starts, unless told otherwise; dockerd looks for it along its own PATH."""
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
    if options.config_source == "command" and options.runtime != "docker":
        told = engine_source.ask(options.runtime, options.executable_path, host.env)
        place = msgspec.structs.replace(place, before=told)
    journal = Journal(host.state_folder, place)
    plan = change.plan_configure(place, journal, _wanted(options))
    if options.runtime == "containerd" and options.drop_in:
        say(f"ignoring --drop-in-config: {place.target} is what containerd goes by, and is edited")
    if plan.current.data is None:
        say(f"{place.target} does not exist, and is taken for an empty one")
    for note in plan.notes:
        say(note)
    if options.dry_run:
        sys.stdout.write(_whole_lines((plan.new or b"").decode()))
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
        return options.drop_in or f"{host.root}{NVIDIAS_CRIO}"
    if options.config:
        return os.path.abspath(options.config)
    if options.runtime == "crio":
        return f"{host.root}/etc/crio/crio.conf"
    system = msgspec.structs.replace(host, uid=0)  # a rootless engine's file has to be named, as for the toolkit
    told = daemon.config_file(options.runtime, daemon.find(options.runtime, system))
    return default_path(options.runtime, system, {options.runtime: told} if told else {})


def _named(options: Options, asked: str) -> str:
    """How ``linkspan engine`` is told of the same file."""
    usual = asked.endswith(NVIDIAS_CRIO) if options.runtime == "crio" else not options.config
    return options.runtime if usual else f"{options.runtime} --config {asked}"


def _whole_lines(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


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
