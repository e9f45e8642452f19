"""``linkspan explain``: a running container, a bundle, a request to come, or a pasted error."""

from importlib import resources
from typing import Annotated

import typer

from linkspan.cli.output import UsageError
from linkspan.explain.dry_run import Wanted


def explain(
    subject: Annotated[
        str,
        typer.Argument(
            metavar="[CONTAINER]",
            help="A container's name or id, a process, a bundle's folder; - is an error text on standard input.",
        ),
    ] = "",
    *,
    error: Annotated[str | None, typer.Option("--error", metavar="TEXT", help="An error text.")] = None,
    image: Annotated[
        str, typer.Option(metavar="IMAGE", help="A dry run: an image, a root file system, or a bundle.")
    ] = "",
    gpus: Annotated[str, typer.Option(metavar="VALUE", help="Of a dry run: the value of docker's --gpus.")] = "",
    env: Annotated[
        list[str] | None, typer.Option("--env", "-e", metavar="K=V", help="Of a dry run: a variable; may be repeated.")
    ] = None,
    device: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Of a dry run: a CDI name; may be repeated.")
    ] = None,
    privileged: Annotated[bool, typer.Option("--privileged", help="Of a dry run: with all capabilities.")] = False,
    facts: Annotated[str, typer.Option("--from", metavar="FILE", help="Of a dry run: on a saved host.")] = "",
    root: Annotated[str, typer.Option(metavar="DIR", help="The root of the host that is looked at.")] = "/",
    inside_script: Annotated[
        bool, typer.Option("--inside-script", help="Print a program that looks at a container from inside.")
    ] = False,
    live: Annotated[
        bool, typer.Option("--live", help="Follow the start of the next container, or of this one, as it happens.")
    ] = False,
    html: Annotated[str, typer.Option(metavar="FILE", help="Also draw the chain as a page.")] = "",
    svg: Annotated[str, typer.Option(metavar="FILE", help="Also draw the chain as a picture.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say why a container has its GPUs, or has none; what a request would come to; or what a pasted error means.

    Exit codes: 0 it works, or would, or the error is known; 1 it does not, or is unknown; 3 it could not be looked at.
    """
    if live:
        from linkspan.cli import explain_live

        raise typer.Exit(explain_live.live(subject, root))
    if sum((bool(subject), error is not None, bool(image), inside_script)) != 1:
        raise UsageError("name one container, or an --image for a dry run, or give an error text by --error or -")
    if inside_script:
        typer.echo(resources.files("linkspan.explain").joinpath("data", "inside.py").read_text("utf-8"), nl=False)
        return
    if error is not None or subject == "-":
        from linkspan.cli import explain_pasted

        text = explain_pasted.from_standard_input() if error is None else error
        raise typer.Exit(explain_pasted.explain(text, as_json=as_json, root=root))
    from linkspan.cli import explain_container

    if image:
        wanted = Wanted(gpus=gpus, env=tuple(env or ()), devices=tuple(device or ()), privileged=privileged)
        told = explain_container.of_request(image, wanted, root, facts)
    else:
        told = explain_container.of_container(subject, root)
    explain_container.show(told, as_json=as_json, html=html, svg=svg)
    raise typer.Exit(explain_container.exit_code(told.chain))
