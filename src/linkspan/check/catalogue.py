"""What is known of each failure mode, whether or not a rule of the doctor can see it: ``modes/*.toml``.

The doctor, ``explain`` and the documentation take their words from here, so they cannot tell different stories.
"""

import tomllib
from functools import cache
from importlib import resources

import msgspec

from linkspan.facts.model import Model


class Mode(Model, frozen=True, kw_only=True):
    """A failure mode.

    ``title`` is a few words. ``symptoms`` are texts that a user sees, as they are printed. ``signatures`` are regular
    expressions, each of which recognises the failure in an error text by itself: within one line, whatever the case of
    its letters. They repeat nothing without a bound, have alternatives in groups only, and eight characters or more in
    a row that stand for themselves (``explain.signatures`` says why). ``why`` is the cause, ``tell`` how to tell it
    from its look-alikes on a host, ``remedy`` what to do in general. ``links`` are addresses of public threads or
    documents in which it was seen.
    """

    id: str
    title: str
    why: str
    remedy: str
    symptoms: tuple[str, ...] = ()
    signatures: tuple[str, ...] = ()
    tell: str = ""
    links: tuple[str, ...] = ()


class _File(Model, frozen=True, kw_only=True):
    mode: tuple[Mode, ...]


@cache
def all_modes() -> dict[str, Mode]:
    """Every failure mode by its id, in the order of the files and within them."""
    folder = resources.files("linkspan.check").joinpath("modes")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    found = [mode for file in files for mode in msgspec.convert(tomllib.loads(file.read_text("utf-8")), _File).mode]
    return {mode.id: mode for mode in found}
