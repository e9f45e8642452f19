"""The stages of a Dockerfile: what each is built on and takes from others, and the variables at every instruction."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from linkspan.errors import FormatError
from linkspan.image import docker_words
from linkspan.image.dockerfile import Dockerfile, Instruction

_PLATFORM = {
    f"{side}{part}": value
    for side in ("TARGET", "BUILD")
    for part, value in (("PLATFORM", "linux/amd64"), ("OS", "linux"), ("ARCH", "amd64"), ("VARIANT", ""))
}
"""What BuildKit knows without being told, on the platform that most build for."""


class Step(NamedTuple):
    """An instruction with the variables as they are before it; ``sets`` are the pairs that an ENV, ARG or LABEL sets.

    Of those, the values are expanded. ``unknown`` are the variables that the text names and nobody here has set: they
    are the base image's, or nothing.
    """

    instruction: Instruction
    variables: Mapping[str, str]
    sets: Mapping[str, str]
    unknown: tuple[str, ...]


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A stage. ``image`` is the base with its variables put in, ``parent`` the stage that it is, if it is one.

    ``environment`` is what ENV has set at its end, its parent's included. ``sources`` are the numbers of the stages
    that it needs: parent, ``COPY --from``, ``RUN --mount=from=``.
    """

    number: int
    name: str
    image: str
    parent: int | None
    start: Instruction
    steps: tuple[Step, ...]
    environment: dict[str, str]
    arguments: dict[str, str]
    sources: tuple[int, ...]
    unknown: tuple[str, ...] = ()


def stages(dockerfile: Dockerfile, arguments: Mapping[str, str] | None = None) -> tuple[Stage, ...]:
    """The stages in order; ``arguments`` are those of the build, over the defaults that ARG gives.

    Raises FormatError where there is none, where something but ARG stands before the first, or where a value cannot be
    expanded.
    """
    given = dict(arguments or {})
    known: dict[str, str] = _PLATFORM | given
    instructions = dockerfile.instructions
    at = 0
    while at < len(instructions) and instructions[at].keyword != "FROM":
        if instructions[at].keyword != "ARG":
            raise FormatError(f"line {instructions[at].line}: {instructions[at].keyword} stands before the first FROM")
        step = _step(instructions[at], known, dockerfile.escape)
        known |= {name: given.get(name, value) for name, value in step.sets.items()}
        at += 1
    if at == len(instructions):
        raise FormatError("the Dockerfile has no FROM, so there is nothing to build on")
    return _all(instructions[at:], _World(known, given, dockerfile.escape))


class _World(NamedTuple):
    known: Mapping[str, str]
    given: Mapping[str, str]
    escape: str


def _all(instructions: tuple[Instruction, ...], world: _World) -> tuple[Stage, ...]:
    starts = [number for number, one in enumerate(instructions) if one.keyword == "FROM"]
    found: list[Stage] = []
    for start, end in zip(starts, [*starts[1:], len(instructions)], strict=True):
        found.append(_stage(instructions[start], instructions[start + 1 : end], found, world))
    return tuple(found)


def _stage(start: Instruction, body: tuple[Instruction, ...], before: list[Stage], world: _World) -> Stage:
    words = start.value.split()
    image = docker_words.expand(words[0] if words else "", world.known, world.escape)
    named = len(words) == 3 and words[1].lower() == "as"
    parent = _named(image.text, before)
    environment = dict(before[parent].environment) if parent is not None else {}
    local = dict(before[parent].arguments) if parent is not None else {}
    steps = tuple(_steps(body, environment, local, world))
    return Stage(
        number=len(before),
        name=words[2].lower() if named else "",
        image=image.text,
        parent=parent,
        start=start,
        steps=steps,
        environment=environment,
        arguments=local,
        sources=tuple(_sources(parent, steps, before, world.escape)),
        unknown=image.missing,
    )


def _steps(
    body: tuple[Instruction, ...], environment: dict[str, str], local: dict[str, str], world: _World
) -> Iterator[Step]:
    for instruction in body:
        step = _step(instruction, local | environment, world.escape)
        if instruction.keyword == "ARG":
            for name, value in step.sets.items():
                given = world.given.get(name)
                # Without a value of its own it has that of the ARG of its name before the first FROM, if there is one.
                inherited = world.known.get(name, "") if "=" not in instruction.value else value
                local[name] = given if given is not None else inherited
        elif instruction.keyword == "ENV":
            environment |= step.sets
        yield step


def _step(instruction: Instruction, variables: Mapping[str, str], escape: str) -> Step:
    if instruction.keyword not in ("ENV", "ARG", "LABEL"):
        return Step(instruction, variables, {}, ())
    sets: dict[str, str] = {}
    unknown: list[str] = []
    try:
        for name, raw in pairs(instruction, escape):
            value = docker_words.expand(raw, variables, escape)
            sets[docker_words.expand(name, variables, escape).text] = value.text
            unknown += value.missing
    except FormatError as error:
        raise FormatError(f"line {instruction.line}: {error.message}") from error
    return Step(instruction, variables, sets, tuple(dict.fromkeys(unknown)))


def pairs(instruction: Instruction, escape: str = "\\") -> list[tuple[str, str]]:
    """The names and raw values of an ENV, ARG or LABEL; the old form ``ENV NAME VALUE`` is one pair."""
    words = docker_words.split(instruction.value, escape)
    if instruction.keyword != "ARG" and words and "=" not in words[0]:
        return [(words[0], instruction.value.split(None, 1)[1] if len(words) > 1 else "")]
    cut = (word.partition("=") for word in words)
    return [(name, value) for name, _, value in cut]


def _sources(parent: int | None, steps: tuple[Step, ...], before: list[Stage], escape: str) -> Iterator[int]:
    if parent is not None:
        yield parent
    for step in steps:
        for name, value in step.instruction.flags:
            options = dict(option.partition("=")[::2] for option in value.split(",")) if name == "mount" else {}
            source = value if name == "from" else options.get("from", "")
            number = number_of(docker_words.expand(source, step.variables, escape).text, before) if source else None
            if number is not None:
                yield number


def number_of(name: str, known: "list[Stage] | tuple[Stage, ...]") -> int | None:
    """The stage of a name or number, the last of a name; None where it is an image's name."""
    plain = name.lower()
    named = _named(name, known)
    if named is not None:
        return named
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 6 and int(plain) < len(known) else None


def _named(name: str, known: "list[Stage] | tuple[Stage, ...]") -> int | None:
    return next((stage.number for stage in reversed(known) if stage.name and stage.name == name.lower()), None)


def last(found: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """The stage that becomes the image, with those that it is built on, the lowest first: all of their files are in."""
    chain = [found[-1]]
    while (parent := chain[0].parent) is not None:
        chain.insert(0, found[parent])
    return tuple(chain)


def base(found: tuple[Stage, ...], stage: Stage) -> Stage:
    """The stage at the bottom, whose base is an image."""
    while stage.parent is not None:
        stage = found[stage.parent]
    return stage
