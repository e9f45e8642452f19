"""``linkspan doctor``: the first broken link of the chain, what breaks next, what is insecure, and what to do."""

import os
from typing import Annotated, Any

import msgspec
import typer

from linkspan.check import bundle, fix, registry, reports, run, verdict
from linkspan.check.eyes import Eyes, Replay
from linkspan.check.model import Report
from linkspan.cli import doctor_text, output, picture
from linkspan.errors import HostError, LinkspanError
from linkspan.explain import page
from linkspan.kernel.files import write_whole


def doctor(
    *,
    root: Annotated[str, typer.Option("--root", metavar="DIR", help="Look at the host below DIR.")] = "/",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    sarif: Annotated[str, typer.Option(metavar="FILE", help="Also write a SARIF 2.1.0 log; - prints it.")] = "",
    junit: Annotated[str, typer.Option(metavar="FILE", help="Also write JUnit's XML; - prints it.")] = "",
    html: Annotated[str, typer.Option(metavar="FILE", help="Also write the report as a page.")] = "",
    save: Annotated[
        str, typer.Option("--bundle", metavar="FILE", help="Also save what was read, without secrets, to be sent.")
    ] = "",
    from_file: Annotated[str, typer.Option("--from", metavar="FILE", help="Examine a bundle, not this host.")] = "",
    actively: Annotated[
        bool, typer.Option("--active", help="Then ask NVML, and start a container; the rest only reads.")
    ] = False,
    mend: Annotated[bool, typer.Option("--fix", help="Then mend what can be mended, each shown first.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="With --fix: show it, and change nothing.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Take back what the last --fix did.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="With reasons and addresses of what is odd.")
    ] = False,
) -> None:
    """Say what is broken between the GPUs of this host and its containers, and what to do. It only reads.

    Exit codes: 0 ready; 1 broken; 2 works, and will break at the next reload, update or reboot; 3 could not look.
    """
    if undo:
        _undo(root)
        return
    report, known = _examined(root, from_file)
    if save:
        bundle.save(save, known, report)
    if html:
        picture.write(html, page.render_report(report))
    _show(report, as_json=as_json, sarif=sarif, junit=junit, verbose=verbose)
    code = verdict.exit_code(report)
    if actively:
        code = max(code, _try(root)) if code != verdict.WILL_BREAK else _try(root) or code
    if mend:
        _mend(report, root, dry_run=dry_run)
    raise typer.Exit(code)


def _examined(root: str, from_file: str) -> tuple[Report, dict[str, Any]]:
    if from_file:
        saved = bundle.load(from_file)
        seen = run.examine(
            from_file, registry.all_rules(), open_eyes=lambda _, ledger: Eyes(Replay(saved), ledger), record=True
        )
        return seen.report, seen.known
    if not os.path.isdir(root):
        raise HostError(f"{root} is not a folder", hint="--root takes the root of a host", subject=root)
    if os.geteuid():
        output.warn("not root, so what only root may read was not looked at", hint="run it with sudo")
    seen = run.examine(root, registry.all_rules(), record=True)
    return seen.report, seen.known


def _show(report: Report, *, as_json: bool, sarif: str, junit: str, verbose: bool) -> None:
    if as_json:
        output.show_json({**msgspec.to_builtins(report), **_summary(report)})
    elif "-" not in (sarif, junit):
        output.show(*doctor_text.lines(report, verbose=verbose))
    for path, made in ((sarif, _as_sarif), (junit, reports.junit)):
        if path == "-":
            typer.echo(made(report), nl=False)
        elif path:
            write_whole(path, made(report).encode())


def _as_sarif(report: Report) -> str:
    return msgspec.json.format(msgspec.json.encode(reports.sarif(report)), indent=2).decode() + "\n"


def _summary(report: Report) -> dict[str, Any]:
    return {
        "exit_code": verdict.exit_code(report),
        "broken_link": verdict.broken_link(report),
        "not_reached": verdict.not_reached(report),
    }


def _try(root: str) -> int:
    from linkspan.check import active  # with all that starts containers

    worked = True
    for trial in active.trials(root):
        worked &= trial.worked
        output.show(doctor_text.trial(trial))
    return verdict.READY if worked else verdict.BROKEN


def _mend(report: Report, root: str, *, dry_run: bool) -> None:
    steps = fix.steps_of(report.findings)
    if not steps:
        output.show("nothing here can be mended by itself")
        return
    for step in steps:
        output.show(doctor_text.change(step.finding, fix.describe(step.action)))
    if dry_run:
        return
    done = 0
    try:
        for _ in fix.apply(root, steps):
            done += 1
    except LinkspanError as error:
        hint = "'linkspan doctor --undo' takes back what was done"
        raise HostError(f"{done} of {len(steps)} done, then: {error.message}", hint=hint) from error
    output.show(f"{done} done; 'linkspan doctor --undo' takes it back")


def _undo(root: str) -> None:
    for sentence in fix.undo(root):
        output.show(sentence)
