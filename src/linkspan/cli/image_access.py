"""How ``linkspan image`` gets at an image: the options about that, and what a person sees while it takes long."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from linkspan.cli import output
from linkspan.cli.output import UsageError
from linkspan.image.access import Access, Watch, nobody
from linkspan.image.layer_cache import LayerCache, default_folder
from linkspan.image.model import Image

PATIENCE_S = 0.7
"""How long a person looks at nothing."""

Reference = Annotated[
    str,
    typer.Argument(
        metavar="REFERENCE",
        help="An OCI layout, a saved image, a root file system (PATH:NAME is one of several), a Dockerfile; or "
        "registry:NAME, docker-daemon:NAME, podman:NAME, containerd:NAME, container:NAME, one of Docker's that runs.",
    ),
]
Insecure = Annotated[
    list[str] | None,
    typer.Option(metavar="HOST", help="A registry whose certificate is not looked at; http://HOST has none."),
]
Mirror = Annotated[
    list[str] | None,
    typer.Option(metavar="REGISTRY=HOST", help="A host to ask in place of a registry: docker.io=mirror.example:5000."),
]
Platform = Annotated[
    str, typer.Option(metavar="OS/MACHINE", help="The platform wanted of several, linux/arm64; by default this one.")
]
Cache = Annotated[bool, typer.Option(help="Keep what was read of a layer for the next time.")]


def access(insecure: Sequence[str] | None, mirrors: Sequence[str] | None, platform: str, cache: bool) -> Access:
    """The options as one. UsageError for what cannot be followed."""
    if platform and len([part for part in platform.split("/") if part]) < 2:
        raise UsageError(f"--platform is '{platform}', not an operating system and a machine such as linux/arm64")
    return Access(
        env=os.environ,
        cache=LayerCache(default_folder()) if cache else None,
        insecure=frozenset(insecure or ()),
        mirrors=_mirrors(mirrors or ()),
        platform=platform,
    )


def _mirrors(pairs: Sequence[str]) -> Mapping[str, str]:
    found = {}
    for pair in pairs:
        host, _, mirror = pair.partition("=")
        if not host or not mirror or "/" in pair:
            raise UsageError(f"--mirror is '{pair}', not a registry and a host such as docker.io=mirror.example:5000")
        found[host] = mirror
    return found


def opened(reference: str, how: Access) -> Image:
    """The image. Raises what ``open_any`` raises."""
    from linkspan.image import elsewhere

    with _watch() as watch:
        return elsewhere.open_any(reference, how._replace(watch=watch))


@contextmanager
def _watch() -> Iterator[Watch]:
    """What tells a person at a terminal how far it is, once it takes longer than they like."""
    console = output.stderr()
    if not console.is_terminal:
        yield nobody
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    bar = Progress(*columns, console=console, transient=True)
    try:
        yield _Shown(bar)
    finally:
        bar.stop()


class _Shown:
    """A bar for each thing that is read, shown once patience is at its end."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._started = time.monotonic()
        self._now = ""
        self._task: TaskID | None = None

    def __call__(self, what: str, done: int, total: int) -> None:
        if time.monotonic() - self._started < PATIENCE_S:
            return
        if self._task is None:
            self._bar.start()
        if self._task is None or what != self._now:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._now, self._task = what, self._bar.add_task(what, total=total or None)
        self._bar.update(self._task, completed=done)
