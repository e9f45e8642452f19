"""What was known of an image before, so that a check of a later one tells what is new.

A finding is known where its rule spoke of all its paths before, whatever layer brings them and however many they are
now; one that is about no path, where its rule said the same words.
"""

from collections.abc import Iterable

import msgspec

from linkspan.errors import ConfigError
from linkspan.facts.model import Model
from linkspan.image.registry import Finding

FORMAT = 1
"""The version of the saved form."""


class Known(Model, frozen=True, kw_only=True):
    """What a rule said: of which paths, and in which words where it was about none."""

    paths: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()


class Baseline(Model, frozen=True, kw_only=True, omit_defaults=False):
    """The saved findings by rule; ``source`` is the image that they are of."""

    format: int = FORMAT
    source: str = ""
    rules: dict[str, Known] = {}

    def knows(self, one: Finding) -> bool:
        """Whether a finding was there before."""
        known = self.rules.get(one.id, Known())
        return set(one.paths) <= set(known.paths) if one.paths else one.cause in known.causes


def of(source: str, found: Iterable[Finding]) -> Baseline:
    """The baseline of these findings."""
    paths: dict[str, set[str]] = {}
    causes: dict[str, set[str]] = {}
    for one in found:
        paths.setdefault(one.id, set()).update(one.paths)
        causes.setdefault(one.id, set()).update(() if one.paths else (one.cause,))
    rules = {key: Known(paths=tuple(sorted(paths[key])), causes=tuple(sorted(causes[key]))) for key in sorted(paths)}
    return Baseline(source=source, rules=rules)


def dumps(baseline: Baseline) -> bytes:
    """The saved form: JSON, sorted, so that two of them can be compared."""
    return msgspec.json.format(msgspec.json.encode(baseline), indent=2) + b"\n"


def loads(data: bytes, name: str) -> Baseline:
    """A saved baseline. Raises ConfigError where the data is none."""
    try:
        found = msgspec.json.decode(data, type=Baseline)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        hint = "write one with --write-baseline"
        raise ConfigError(f"{name} is no baseline of linkspan's: {error}", hint=hint, subject=name) from None
    if found.format != FORMAT:
        message = f"{name} is a baseline of format {found.format}, and this linkspan reads format {FORMAT}"
        raise ConfigError(message, hint="write it anew with --write-baseline", subject=name)
    return found
