"""Rules for the tests of what is made of findings, so that they do not change with the rules that there are."""

from collections.abc import Iterator

from linkspan.image.model import Config, Entry, Image, Layer
from linkspan.image.registry import Broken, Rule, Target


def _files(image: Image, _: Target) -> Iterator[Broken]:
    for entry in image.glob("*.bad"):
        yield Broken(cause=f"{entry.path} is bad", fix=f"RUN rm {entry.path}", paths=(entry.path,), bytes=entry.size)


def _heap(image: Image, _: Target) -> Iterator[Broken]:
    if found := sorted(entry.path for entry in image.glob("*.tmp")):
        yield Broken(cause=f"{len(found)} files are left over", fix="remove them", paths=tuple(found), bytes=2_500_000)


def _variable(image: Image, where: Target) -> Iterator[Broken]:
    if value := image.config.variables.get("ODD"):
        yield Broken(cause=f"ODD is {value} on driver {where.driver or 'unknown'}", fix="unset ODD")


RULES = (
    Rule("I-T-1", "a bad file", "boundary", "error", "Bad files do harm.", _files),
    Rule("I-T-2", "files left over", "weight", "warning", "They weigh.", _heap),
    Rule("I-T-3", "an odd variable", "variables", "info", "It is odd.", _variable),
)


def image(*paths: str, odd: str = "", source: str = "shop/app:1") -> Image:
    """An image of two layers; every file came with the upper one."""
    entries = {path: Entry(path=path, kind="file", layer=1, size=1000) for path in paths}
    layers = (Layer(number=0, command="FROM scratch"), Layer(number=1, digest="sha256:01", command="COPY . /app"))
    config = Config(env=(f"ODD={odd}",) if odd else ())
    return Image(source=source, config=config, layers=layers, entries=entries)
