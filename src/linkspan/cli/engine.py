"""``linkspan engine``: container engines told of linkspan, told to forget it, and asked."""

import os
from typing import Annotated

import msgspec
import typer

from linkspan.cli import output as out
from linkspan.engines import change, checkers, daemon, report, whose
from linkspan.engines.change import Plan
from linkspan.engines.journal import Journal
from linkspan.engines.model import Wanted
from linkspan.engines.places import NAMES, NVIDIAS_CRIO, Host, Place, default_path, locate
from linkspan.errors import ConfigError
from linkspan.store import launchers

app = typer.Typer(help="Make linkspan a runtime of Docker, Podman, containerd or CRI-O.", no_args_is_help=True)

Engine = Annotated[str, typer.Argument(metavar="ENGINE", help=f"One of {', '.join(NAMES)}.")]
Config = Annotated[
    str, typer.Option("--config", metavar="FILE", help="Edit this file, not the one that the engine reads by default.")
]
StateDir = Annotated[
    str,
    typer.Option(
        "--state-dir", metavar="DIR", help="Where journals and backups are kept.  [/var/lib/linkspan/engines]"
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the diff, and write nothing.")]
Restart = Annotated[bool, typer.Option("--restart", help="Have the engine reload or restart, as it needs.")]
RuntimeName = Annotated[str, typer.Option("--runtime-name", metavar="NAME", help="The name of the runtime.")]


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What every subcommand works with."""

    host: Host
    place: Place
    journal: Journal
    running: daemon.Running | None


@app.command()
def configure(
    *,
    engine: Engine,
    runtime_name: RuntimeName = "nvidia",
    runtime_path: Annotated[
        str, typer.Option("--runtime-path", metavar="FILE", help="The program of the runtime, as the engine finds it.")
    ] = launchers.Place().runtime,
    set_as_default: Annotated[bool, typer.Option("--set-as-default", help="Make it the default runtime, too.")] = False,
    cdi: Annotated[
        bool | None, typer.Option("--cdi/--no-cdi", help="Switch CDI on, or leave the switch.  [as the version needs]")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace a runtime of this name that starts another program.")
    ] = False,
    config: Config = "",
    dry_run: DryRun = False,
    restart: Restart = False,
    state_dir: StateDir = "",
) -> None:  # fmt: skip
    """Add the runtime to an engine's configuration: shown first, checked, written whole, and undone by unconfigure."""
    job = _open(engine, config, state_dir)
    _say_whose(job, config)
    _need_program(runtime_path)
    wanted = Wanted(
        name=_need_name(runtime_name), program=runtime_path, default=set_as_default, cdi=cdi, replace=replace,
        version=daemon.version(job.place, job.host),
    )  # fmt: skip
    daemon.refuse_twice_said(engine, job.running, wanted)
    plan = change.plan_configure(job.place, job.journal, wanted)
    for note in (*plan.notes, *_snap_notes(job.place)):
        out.warn(note)
    if not plan.changes_file:
        if not dry_run:
            change.tidy(job.journal)
        _say(f"{plan.place.target} has all of it already: nothing was changed")
        return
    _carry_out(job, plan, dry_run=dry_run, restart=restart)


@app.command()
def unconfigure(
    engine: Engine, config: Config = "", dry_run: DryRun = False, restart: Restart = False, state_dir: StateDir = ""
) -> None:
    """Take back what configure did: the file is as it was, but for what others have changed since."""
    job = _open(engine, config, state_dir)
    _say_whose(job, config)
    for one in _edited(job, config):
        _take_back(one, dry_run=dry_run, restart=restart)


def _edited(job: Job, config: str) -> list[Job]:
    """The files that linkspan has edited of an engine, else the one that it would edit.

    For CRI-O ``nvidia-ctk runtime configure`` has a drop-in of its own.
    """
    jobs = [job]
    if job.place.engine == "crio" and not config:
        place = locate("crio", f"{job.host.root}{NVIDIAS_CRIO}", job.host)
        jobs.append(msgspec.structs.replace(job, place=place, journal=job.journal.of(place)))
    return [one for one in jobs if one.journal.load()] or [job]


def _take_back(job: Job, *, dry_run: bool, restart: bool) -> None:
    plan = change.plan_unconfigure(job.place, job.journal)
    if not plan.known:
        if not dry_run:
            change.tidy(job.journal)
        _say(f"linkspan has not configured {plan.place.target}: nothing was changed")
        for other in job.journal.others():
            _say(f"it has configured {other}: name that by --config")
        return
    if not plan.changes_file:
        _say(f"nothing of linkspan's is left in {plan.place.target}")
    _carry_out(job, plan, dry_run=dry_run, restart=restart)


@app.command()
def status(
    engine: Engine,
    runtime_name: RuntimeName = "nvidia",
    config: Config = "",
    state_dir: StateDir = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what an engine's configuration says of the runtime, and what the engine has that runs now."""
    job = _edited(_open(engine, config, state_dir, looking=True), config)[0]
    found = report.status(job.place, job.journal, job.host, runtime_name)
    if as_json:
        out.show_json(msgspec.to_builtins(found))
    else:
        out.show(out.table(("what", "found"), _rows(job.place, found)))
    if found.daemon.silence:
        out.warn(found.daemon.silence)
    if found.running_since_before:
        out.warn(f"{job.place.of.TITLE} started before the file was last changed, and may not know of that yet")


def this_host() -> Host:
    """The system and the user that the command runs for."""
    return Host(uid=os.geteuid(), env=dict(os.environ))


def _open(engine: str, config: str, state_dir: str, *, looking: bool = False) -> Job:
    """The engine's file, its journal and its daemon; a user without a Docker may look at root's, and not change it."""
    if engine not in NAMES:
        raise typer.BadParameter(f"ENGINE is '{engine}', not one of {', '.join(NAMES)}")
    host = this_host()
    running = daemon.find(engine, host)
    told = daemon.config_file(engine, running)
    if engine == "docker" and not (config or running) and (found := whose.roots_docker_alone(host)):
        host = _as_root_has_it(host, found, looking)
    path = os.path.abspath(config) if config else default_path(engine, host, {engine: told} if told else {})
    place = locate(engine, path, host)
    folder = os.path.abspath(state_dir) if state_dir else host.state_folder
    return Job(host=host, place=place, journal=Journal(folder, place), running=running)


def _as_root_has_it(host: Host, found: str, looking: bool) -> Host:
    """A user whose only Docker is root's does not mean one of their own, which there is not."""
    cause = f"the Docker of this host is root's ({found}), and you are not root"
    hint = "run the same with sudo; for a rootless Docker of your own, name its daemon.json by --config"
    if not looking:
        raise ConfigError(cause, hint=hint, subject=found)
    _say(f"this is root's Docker ({found}): you have none of your own")
    return msgspec.structs.replace(host, uid=0)


def _say_whose(job: Job, config: str) -> None:
    """A user's engine is not root's, though both have the same name."""
    if job.host.uid and not config and job.place.engine in ("docker", "podman"):
        title, user = job.place.of.TITLE, whose.user(job.host.uid)
        _say(f"this is for the rootless {title} of {user}; for root's {title}, run the same with sudo")


def _snap_notes(place: Place) -> list[str]:
    """Docker of the snap has a file system of its own."""
    if not place.target.startswith("/var/snap/"):
        return []
    return ["Docker of the snap sees no file below /usr/local: --runtime-path has to name one below /var/snap/docker"]


def _need_name(name: str) -> str:
    """A runtime's name, as every engine takes it."""
    if not name or not all(letter.isascii() and (letter.isalnum() or letter in "_.-") for letter in name):
        raise typer.BadParameter(f"--runtime-name is '{name}', where letters, digits, '.', '_' and '-' are taken")
    if name in ("runc", "crun"):
        raise typer.BadParameter(f"--runtime-name is '{name}', which engines have by themselves")
    return name


def _need_program(path: str) -> None:
    if not path.startswith("/") or not path.isprintable():
        raise typer.BadParameter(f"--runtime-path is {path!r}, not an absolute path")
    if not os.access(path, os.X_OK):
        out.warn(f"the runtime {path} is not there, and containers need it", "put it in place with 'linkspan install'")


def _carry_out(job: Job, plan: Plan, *, dry_run: bool, restart: bool) -> None:
    """Show it, have it checked, do it, and say what the daemon needs."""
    if plan.changes_file:
        typer.echo(plan.diff())
    if dry_run:
        return
    if plan.changes_file and plan.new is not None:
        _say(checkers.check(plan.place, plan.current.data, plan.new, job.host.env))
    change.carry_out(plan, job.journal)
    if plan.changes_file:
        _say(f"{'wrote' if plan.new is not None else 'removed'} {plan.place.target}")
        _activate(job, plan, restart)


def _activate(job: Job, plan: Plan, restart: bool) -> None:
    needed, title = plan.activation, plan.place.of.TITLE
    if needed == "none":
        _say(f"{title} needs no restart: it reads its configuration each time")
    elif restart:
        _say(daemon.activate(plan.place, needed, job.running, job.host))
    else:
        _say(f"{title} takes it up after a {needed}, which --restart does")


def _say(text: str) -> None:
    """The story: what was done, and why."""
    typer.echo(text, err=True)


def _rows(place: Place, found: report.Status) -> list[tuple[str, str]]:
    whose = {"linkspan": "linkspan's", "nvidia": "NVIDIA's", "other": "another program", "nobody": ""}[found.owner]
    runtime = f"{found.program or 'no program'} ({whose})" if found.owner != "nobody" else "not there"
    rows = [
        ("engine", place.of.TITLE),
        ("file", f"{found.config}{'' if found.exists else ' (absent)'}"),
        ("edited by linkspan", "yes" if found.by_linkspan else "no"),
        (f"runtime {found.runtime}", runtime),
        ("default runtime", found.default_runtime or "not set"),
        ("CDI switch", {True: "on", False: "off", None: "not set"}[found.cdi]),
    ]
    return rows + _daemon_rows(found.daemon, found.runtime)


def _daemon_rows(answer: daemon.Answer, name: str) -> list[tuple[str, str]]:
    if answer.silence:
        return []
    cdi = {True: "on", False: "off", None: "not told"}[answer.cdi]
    return [
        ("asked", f"{answer.source}{f', version {answer.version}' if answer.version else ''}"),
        (f"  runtime {name}", answer.runtimes.get(name, "not there") or "there"),
        ("  default runtime", answer.default_runtime or "not told"),
        ("  CDI", cdi),
    ]
