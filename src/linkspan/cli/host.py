"""``linkspan host``: what this host needs to give containers its GPUs: as a plan, carried out, and taken back."""

import os
import sys
from typing import Annotated

import msgspec
import typer
from rich.text import Text

from linkspan.cli import output
from linkspan.errors import ConfigError, HostError
from linkspan.setup import apply, look, plan, shell
from linkspan.setup.apply import Choice, Run
from linkspan.setup.journal import FOLDER, Journal
from linkspan.setup.model import KEYS, Plan, Step

RESTART = 4
"""Exit code: the host has to be started anew before the rest can be done."""

app = typer.Typer(help="Show and do what a GPU host needs, step by step.", no_args_is_help=True)

Root = Annotated[str, typer.Option("--root", metavar="DIR", help="Plan for the host below this folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
StateDir = Annotated[str, typer.Option("--state-dir", metavar="DIR", help="Where the journal is kept.")]
_STEPS = ", ".join(KEYS)
Only = Annotated[list[str], typer.Option("--only", metavar="STEP", help=f"Only this step; may be repeated. {_STEPS}.")]
Skip = Annotated[list[str], typer.Option("--skip", metavar="STEP", help="Not this step; may be repeated.")]


@app.command()
def setup(
    *,
    as_json: AsJson = False,
    as_shell: Annotated[bool, typer.Option("--shell", help="Print a script, to be read and run.")] = False,
    carry_out: Annotated[bool, typer.Option("--apply", help="Run the commands, and check each step.")] = False,
    only: Only = [],  # noqa: B006  # typer reads it, nobody changes it
    skip: Skip = [],  # noqa: B006
    root: Root = "/",
    state_dir: StateDir = FOLDER,
) -> int:
    """Show what is missing on this host, as the commands of its distribution. Nothing is changed without --apply.

    With --apply each command is shown and run, and each step is checked; what is done already is left alone. A journal
    is kept: after a failure or a restart of the host the same command goes on, and 'linkspan host undo' takes back.

    Exit code 0: shown, or all is done. 1: there is no plan for this host, or a step failed. 4: the host has to be
    started anew, then the same command goes on.
    """
    choice = Choice(tuple(only), tuple(skip))
    choice.check()
    _refuse_together(as_json=as_json, as_shell=as_shell, carry_out=carry_out, root=root)
    if carry_out:
        return _apply(choice, state_dir)
    made = _chosen(_plan(root), choice)
    if as_json:
        output.show_json(msgspec.to_builtins(made))
        return output.FAILED if made.reason else output.OK
    _refuse_without(made)
    if as_shell:
        typer.echo(shell.script(made), nl=False)
    else:
        _show(made)
    return output.OK


@app.command()
def status(as_json: AsJson = False, root: Root = "/") -> int:
    """Show the check-list: what is done, and what is not. Exit code 0: all is done; 1: something is not."""
    made = _plan(root)
    if as_json:
        output.show_json({**msgspec.to_builtins(made), "states": {step.key: step.state for step in made.steps}})
    else:
        _refuse_without(made)
        output.show(output.table(("step", "state", "found"), [(one.key, one.state, one.found) for one in made.steps]))
        _show_notes(made)
    return output.OK if made.complete else output.FAILED


@app.command()
def undo(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the commands, and run none.")] = False,
    only: Only = [],  # noqa: B006
    skip: Skip = [],  # noqa: B006
    state_dir: StateDir = FOLDER,
) -> None:
    """Take back what 'linkspan host setup --apply' did, the last step first."""
    choice = Choice(tuple(only), tuple(skip))
    choice.check()
    journal = Journal(state_dir)
    entries = [entry for entry in reversed(journal.entries()) if choice.takes(entry.key)]
    if not entries:
        typer.echo("nothing was applied by linkspan that could be taken back", err=True)
    elif dry_run:
        for entry in entries:
            typer.echo(f"# {entry.key}: {entry.title} ({entry.progress})")
            typer.echo("\n".join(entry.undo or ("# nothing to take back",)))
    else:
        _need_root("host undo")
        undone = apply.take_back(_run(journal), choice)
        _say(f"taken back: {', '.join(undone)}")


def _refuse_together(*, as_json: bool, as_shell: bool, carry_out: bool, root: str) -> None:
    if sum((as_json, as_shell, carry_out)) > 1:
        raise typer.BadParameter("--json, --shell and --apply exclude each other")
    if carry_out and root != "/":
        raise typer.BadParameter("--apply is for the host that it runs on, and --root is for plans alone")


def _plan(root: str) -> Plan:
    if not os.path.isdir(root):
        raise HostError(f"{root} is not a folder", hint="--root takes the root of a host", subject=root)
    return plan.make(look.at(root))


def _chosen(made: Plan, choice: Choice) -> Plan:
    return msgspec.structs.replace(made, steps=tuple(step for step in made.steps if choice.takes(step.key)))


def _refuse_without(made: Plan) -> None:
    if made.reason:
        raise HostError(made.reason)


def _apply(choice: Choice, state_dir: str) -> int:
    _need_root("host setup --apply")
    made = _plan("/")
    _refuse_without(made)
    _say(f"{made.system}, kernel {made.kernel}: {made.driver}")
    outcome = apply.carry_out(_run(Journal(state_dir)), choice)
    if outcome.kind == "restart":
        output.warn(f"the host has to be started anew: {outcome.reason}", "then run the same command again")
        return RESTART
    _say("all steps are done")
    return output.OK


def _need_root(what: str) -> None:
    if os.geteuid() != 0:
        raise ConfigError(f"'linkspan {what}' changes the system, and you are not root", hint="run the same with sudo")


def _run(journal: Journal) -> Run:
    env = shell.environment(os.environ, os.path.abspath(sys.argv[0]))
    return Run(look=lambda: _plan("/"), journal=journal, tell=_say, env=env)


def _say(text: str) -> None:
    """The story: what is done."""
    typer.echo(text, err=True)


def _show(made: Plan) -> None:
    output.show(output.table(("host", ""), [("system", made.system), ("kernel", made.kernel), *_gpu_rows(made)]))
    _show_notes(made)
    for step in made.steps:
        _show_step(step)


def _gpu_rows(made: Plan) -> list[tuple[str, str]]:
    counts = {name: made.gpus.count(name) for name in made.gpus}
    gpus = ", ".join(f"{count} {name}" for name, count in counts.items())
    return [("GPUs", gpus), ("driver", made.driver)]


def _show_notes(made: Plan) -> None:
    for note in made.notes:
        output.show(Text(f"Note: {note}.", style="dim"))


def _show_step(step: Step) -> None:
    """A step: each command on a line of its own and all else a comment, so that it can be copied."""
    _line(f"\n# {step.key}: {step.title}", "bold")
    _line(f"# {step.state}: {step.found}", "green" if step.done else "yellow")
    if step.done:
        return
    for line in step.commands:
        typer.echo(line)
    if step.restart:
        _line(f"# then start the host anew: {step.restart}", "yellow")


def _line(text: str, style: str) -> None:
    """A line of its own, however long it is."""
    output.stdout().print(Text(text, style=style), soft_wrap=True)
