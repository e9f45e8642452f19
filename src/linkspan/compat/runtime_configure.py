"""``nvidia-ctk runtime configure``: the toolkit's request, carried out by the editors of ``linkspan engine``.

So comments, order and unknown keys stay, the result is checked and written whole, and ``linkspan engine unconfigure``
takes it back.
"""

import json
import os
import posixpath
import sys
from collections.abc import Callable, Iterator

import msgspec

from linkspan.compat import engine_source
from linkspan.engines import change, checkers, daemon, edits
from linkspan.engines.journal import Journal, Record
from linkspan.engines.model import Wanted
from linkspan.engines.places import NVIDIAS_CRIO, Host, Place, default_path, locate, read
from linkspan.facts.model import Model
from linkspan.kernel import files, trees

Say = Callable[[str], None]

_PROGRAM = "nvidia-container-runtime"
"""What the runtime starts, unless told otherwise; dockerd looks for it along its own PATH."""
_FOLDERS = ("/usr/bin", "/usr/local/bin")
"""Where the others look for it: the toolkit's place, then that of ``linkspan install``."""
_CRIO = "/etc/crio/crio.conf"
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
    place = _place(options, host)
    if options.config_source == "command" and options.runtime != "docker":
        told = engine_source.ask(options.runtime, options.executable_path, host.env)
        place = msgspec.structs.replace(place, before=told)
    journal = Journal(host.state_folder, place)
    wanted = _wanted(options, host, journal.load())
    plan = change.plan_configure(place, journal, wanted, beside=True)
    for note in (*_notes(options, host, place, wanted), *plan.notes):
        say(note)
    if options.dry_run:
        sys.stdout.write(_whole_lines((plan.new or b"").decode()))
        return
    _carry_out(plan, journal, say, host)
    say(f"'linkspan engine unconfigure {_named(options, place.asked)}' takes it back")
    say(f"it is recommended that the {options.runtime} daemon be restarted")


def _carry_out(plan: change.Plan, journal: Journal, say: Say, host: Host) -> None:
    if not plan.changes_file:
        change.tidy(journal)
        say(f"{plan.place.target} has all of it already")
        return
    say(checkers.check(plan.place, plan.current.data, plan.new or b"", host.env))
    change.carry_out(plan, journal)
    say(f"wrote {plan.place.target}")


def _place(options: Options, host: Host) -> Place:
    """The file to edit: CRI-O's drop-in is one of its own, and other engines are edited where it counts.

    It is the system's engine, whoever asks: a rootless Docker's file is named by ``--config`` (contract 7.1).
    """
    system = msgspec.structs.replace(host, uid=0)
    if options.runtime == "crio":
        return _crios(options, system)
    if options.config:
        return locate(options.runtime, os.path.abspath(options.config), system)
    running = daemon.find(options.runtime, system)
    told = daemon.config_file(options.runtime, running)
    daemon.refuse_twice_said(options.runtime, running, _wanted(options, host, None))
    return locate(
        options.runtime, default_path(options.runtime, system, {options.runtime: told} if told else {}), system
    )


def _crios(options: Options, system: Host) -> Place:
    main = os.path.abspath(options.config) if options.config else f"{system.root}{_CRIO}"
    if options.drop_in == "":
        return locate("crio", main, system)
    place = locate("crio", options.drop_in or f"{system.root}{NVIDIAS_CRIO}", system)
    if not (options.config or options.drop_in):
        return place  # of whose folder all files count that are read before it
    return msgspec.structs.replace(place, before=place.of.SYNTAX.parse(read(main).text.removeprefix(edits.BOM), main))


def _named(options: Options, asked: str) -> str:
    """How ``linkspan engine`` is told of the same file."""
    usual = asked.endswith(NVIDIAS_CRIO) if options.runtime == "crio" else not options.config
    return options.runtime if usual else f"{options.runtime} --config {asked}"


def _whole_lines(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def _wanted(options: Options, host: Host, record: Record | None) -> Wanted:
    """The toolkit replaces an entry of that name whatever it starts, and switches CDI on only where it is told to.

    What it once switched on it leaves so when it is not told to again, but for containerd's and CRI-O's default.
    """
    before = next((one for one in record.all_wanted if one.name == options.runtime_name), None) if record else None
    sticks = before is not None and before.default and options.runtime == "docker"
    return Wanted(
        name=options.runtime_name,
        program=options.runtime_path or _program(options.runtime, host),
        default=options.set_as_default or sticks,
        cdi=options.runtime != "crio" and (options.cdi or bool(before and before.cdi)),
        replace=True,
    )


def _program(engine: str, host: Host) -> str:
    """The toolkit's own default, unless it is not there and ours is: CRI-O does not start for want of it."""
    places = [f"{folder}/{_PROGRAM}" for folder in _FOLDERS]
    return _PROGRAM if engine == "docker" else next((one for one in places if _is_there(one, host)), places[0])


def _is_there(program: str, host: Host) -> bool:
    return os.access(f"{host.root}{program}", os.X_OK)


def _notes(options: Options, host: Host, place: Place, wanted: Wanted) -> Iterator[str]:
    if options.runtime == "containerd" and options.drop_in:
        yield f"ignoring --drop-in-config: {place.target} is what containerd goes by, and is edited"
    if rancher := next((name for name in ("k3s", "rke2") if f"/rancher/{name}/" in place.target), ""):
        yield f"{rancher} makes {place.target} anew at each start; 'linkspan engine configure {rancher}' lasts"
    if not os.path.exists(place.target):
        yield f"{place.target} does not exist, and is taken for an empty one"
    if posixpath.isabs(wanted.program) and not _is_there(wanted.program, host):
        hint = "; 'linkspan install' makes one" if posixpath.basename(wanted.program) == _PROGRAM else ""
        yield f"the runtime {wanted.program} is not there, and {place.of.TITLE} needs it{hint}"


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
