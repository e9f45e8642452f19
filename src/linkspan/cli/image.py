"""``linkspan image``: what is wrong with an image for GPUs, and what would be enough. Nothing of it is ever run."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, TypeVar

import msgspec
import typer
from rich.console import Group

from linkspan.check.model import Severity
from linkspan.cli import image_fix, image_init, image_reports, image_target, image_text, output, picture
from linkspan.cli.image_access import Cache, Insecure, Mirror, Platform, Reference, access, opened
from linkspan.cli.image_reports import Wanted
from linkspan.errors import ConfigError, LinkspanError, RequestError
from linkspan.image import baseline as known
from linkspan.image import dockerfile_source, judged, policy, reports
from linkspan.image.access import Access
from linkspan.image.judged import COULD_NOT_READ, USAGE, Judged
from linkspan.image.model import Image
from linkspan.image.registry import Target

T = TypeVar("T")

app = typer.Typer(help="Check, size and write images for GPUs.", no_args_is_help=True)

Driver = Annotated[str, typer.Option(metavar="VERSION", help="Where it is to run: the driver, 535 or 550.54.14.")]
Gpus = Annotated[
    list[str] | None,
    typer.Option("--gpu", metavar="GPU", help="Where it is to run: a GPU, T4 or 7.5; may be repeated."),
]
Facts = Annotated[
    str, typer.Option("--target", metavar="FACTS", help="Where it is to run: what 'linkspan facts --save' wrote there.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command(short_help="Say what is wrong with an image, and the exact fix.")
def check(
    reference: Reference,
    *,
    driver: Driver = "",
    gpu: Gpus = None,
    target: Facts = "",
    fail_on: Annotated[
        str, typer.Option("--fail-on", metavar="SEVERITY", help=f"One of {', '.join(judged.SEVERITIES)}.")
    ] = "error",
    rules: Annotated[
        str, typer.Option("--policy", metavar="FILE", help="Rules switched off or weighed otherwise, in TOML.")
    ] = "",
    baseline: Annotated[
        str, typer.Option("--baseline", metavar="FILE", help="Findings that are known, and do not count.")
    ] = "",
    write_baseline: Annotated[
        str, typer.Option("--write-baseline", metavar="FILE", help="Save today's findings as a baseline; exits with 0.")
    ] = "",
    sarif: image_reports.Sarif = "",
    junit: image_reports.Junit = "",
    code_quality: image_reports.Quality = "",
    html: Annotated[str, typer.Option(metavar="FILE", help="Also write the findings as a page.")] = "",
    insecure: Insecure = None,
    mirror: Mirror = None,
    platform: Platform = "",
    cache: Cache = True,
    github: Annotated[
        bool, typer.Option("--github", help="Print annotations for a workflow of GitHub's, not text.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say what is wrong with an image for GPUs, which layer brought it, and the exact fix. It is read, never run.

    Exit codes: 0 clean; 1 new findings at or above --fail-on; 2 wrong usage, or a policy or baseline that cannot be
    followed; 3 the image, or another file, could not be read.
    """
    limit = image_reports.severity(fail_on)
    wanted = image_reports.settled(Wanted(sarif, junit, code_quality), as_json=as_json, github=github)
    where = guarded(lambda: image_target.target(driver, gpu or (), target))
    settings = guarded(lambda: _parsed(rules, policy.parse)) if rules else policy.Policy()
    before = guarded(lambda: _parsed(baseline, known.loads)) if baseline else known.Baseline()
    how = access(insecure, mirror, platform, cache)
    found = guarded(lambda: _judged(reference, how, where, settings, before))
    for note in found.notes:
        output.warn(note)
    guarded(lambda: _write(found, limit, wanted, html))
    _show(found, limit, as_json=as_json, github=github, quiet=wanted.is_printed)
    if write_baseline:
        kept = known.dumps(known.of(found.source, (*found.findings, *found.known))).decode()
        guarded(lambda: picture.write(write_baseline, kept))
        raise typer.Exit(judged.CLEAN)
    raise typer.Exit(judged.exit_code(found, limit))


@app.command(short_help="Say what would be enough for an image.")
def advise(
    reference: Reference,
    *,
    driver: Driver = "",
    gpu: Gpus = None,
    target: Facts = "",
    svg: Annotated[str, typer.Option(metavar="FILE", help="Also draw the layers, and whose they are.")] = "",
    html: Annotated[str, typer.Option(metavar="FILE", help="Also write the advice as a page.")] = "",
    insecure: Insecure = None,
    mirror: Mirror = None,
    platform: Platform = "",
    cache: Cache = True,
    as_json: AsJson = False,
) -> None:
    """Say which base is enough for an image, what could be left out, which driver it needs, and whose its bytes are.

    Exit codes: 0 told; 2 wrong usage; 3 the image, or the target's file, could not be read.
    """
    from linkspan.cli import image_advice_page, image_advice_text, image_picture
    from linkspan.image import advice

    where = guarded(lambda: image_target.target(driver, gpu or (), target))
    how = access(insecure, mirror, platform, cache)
    told = advice.advise(guarded(lambda: _built(reference, how)), where)
    for path, render in ((svg, image_picture.render), (html, image_advice_page.render)):
        if path:
            drawn = render(told)
            guarded(partial(picture.write, path, drawn))
    if as_json:
        output.show_json(msgspec.to_builtins(told))
    else:
        output.show(Group(*image_advice_text.lines(told)))


app.command(short_help="Write a Dockerfile that is right for a project.")(image_init.init)
app.command(short_help="Say what is wrong with Dockerfiles, and mend it.")(image_fix.fix)


def _judged(reference: str, how: Access, where: Target, settings: policy.Policy, before: known.Baseline) -> Judged:
    today = policy.today()
    if not dockerfile_source.is_dockerfile(reference):
        return judged.judge(opened(reference, how), where, settings, before, today=today)
    if where != Target():
        output.warn("a Dockerfile is judged wherever it is to run: --driver, --gpu and --target are about images")
    found = judged.sift(reference, dockerfile_source.findings(reference), settings, before, today=today)
    return msgspec.structs.replace(found, is_dockerfile=True)


def _built(reference: str, how: Access) -> Image:
    if dockerfile_source.is_dockerfile(reference):
        hint = f"build it, and name the image; 'linkspan image check {reference}' judges the Dockerfile itself"
        raise RequestError(f"{reference} is a Dockerfile, and only an image has bytes to advise on", hint=hint)
    return opened(reference, how)


def guarded(act: Callable[[], T]) -> T:
    """What an act comes to; where it fails, the reason is told, and the program ends with a code that is no verdict.

    2 where the user's own words or files are at fault, 3 where something cannot be read or written.
    """
    try:
        return act()
    except BrokenPipeError:
        raise  # whoever read our output has seen enough
    except (LinkspanError, OSError) as error:
        output.fail(error)
        raise typer.Exit(USAGE if isinstance(error, ConfigError | RequestError) else COULD_NOT_READ) from error


def _parsed(path: str, parse: Callable[[bytes, str], T]) -> T:
    with open(path, "rb") as file:
        return parse(file.read(), path)


def _write(found: Judged, limit: Severity, wanted: Wanted, html: str) -> None:
    image_reports.write(wanted, found, limit)
    if html:
        from linkspan.cli import image_page

        picture.write(html, image_page.render(found, limit))


def _show(found: Judged, limit: Severity, *, as_json: bool, github: bool, quiet: bool) -> None:
    if as_json:
        output.show_json({**msgspec.to_builtins(found), "exit_code": judged.exit_code(found, limit)})
    elif github:
        for line in reports.github(found):
            typer.echo(line)
    elif not quiet:
        output.show(Group(*image_text.lines(found, limit)))
