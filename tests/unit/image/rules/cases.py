"""How rules are tested: on images in memory, and on the same images written, stored and read."""

import tempfile
import zlib
from typing import NamedTuple

from msgspec.structs import replace

from linkspan.image.databases import is_rpm
from linkspan.image.model import Entry, Image
from linkspan.image.registry import Finding, Target, all_rules, findings
from linkspan.image.source import open_image
from tests.unit.image import rendered

NOWHERE = Target()
ON_WORDS_THAT_LACK = frozenset({"I-BASE-5", "I-BASE-6", "I-BASE-8", "I-VARIABLES-1", "I-VARIABLES-13"})


class Case(NamedTuple):
    """A rule, an image that breaks it, and one that looks alike and does not; where they are to run, if that counts.

    ``other_target`` is that of the sound image, where the target makes the difference.
    """

    rule: str
    broken: Image
    sound: Image
    target: Target = NOWHERE
    other_target: Target | None = None


def ids(area: str = "") -> set[str]:
    """The ids of an area's rules, or of all."""
    return {rule.id for rule in all_rules() if area in ("", rule.area)}


def judge(case: Case) -> None:
    """Fail unless the rule tells the one image from the other, and says of the broken one where and what to do."""
    found = ask(case.rule, case.broken, case.target)
    assert found
    assert all(one.cause and one.fix for one in found)
    there = {*case.broken.entries, *(one.path for one in case.broken.hidden)}
    assert there.issuperset(path for one in found for path in one.paths)
    assert ask(case.rule, case.sound, case.other_target or case.target) == []


def ask(rule: str, image: Image, target: Target = NOWHERE) -> list[Finding]:
    """What one rule says of an image; of the real one that is made of it, all rules have to say the same."""
    found = findings(image, target)
    smaller = rendered.scaled(image)
    read = same(smaller, target, way_of(rule, smaller))
    wanted = [one for one in found if one.id == rule]
    assert len([one for one in read if one.id == rule]) == len(wanted)  # in its full size it is no other image
    return wanted


def same(image: Image, target: Target, way: tuple[str, str]) -> list[Finding]:
    """What all rules say of an image that is written in this form, packed in this way, and read.

    Fails where that is not what they say of the image in memory: a rule looks at what no reader finds, or the reader
    finds something else than what was meant.
    """
    with tempfile.TemporaryDirectory(prefix="linkspan-test-") as place:
        real = open_image(rendered.write(image, place, *way))
    assert [_known(real.entries[path]) for path in image.entries] == list(map(_known, image.entries.values()))
    found = findings(real, target)
    meant = image if real.config.is_there else rendered.altered(image, config=real.config)
    assert list(map(_told, found)) == list(map(_told, findings(_as_ordered_in(real, meant), target)))
    return found


def forms_of(rule: str, image: Image) -> list[str]:
    """The forms in which a rule has something to say of the image: a folder has no words that it could miss."""
    forms = rendered.forms_for(image)
    return [form for form in forms if form != "rootfs" or rule not in ON_WORDS_THAT_LACK]


def way_of(rule: str, image: Image) -> tuple[str, str]:
    """In which form an image is written, and how its layers are packed: each image always in the same way."""
    number = zlib.crc32(f"{rule} {image!r}".encode())
    forms, packings = forms_of(rule, image), rendered.PACKINGS
    return forms[number % len(forms)], packings[number // len(forms) % len(packings)]


def _known(entry: Entry) -> Entry:
    """An entry without its head, which most entries of tests lack, and the size of what is no text of its own."""
    elf = entry.elf and replace(entry.elf, architectures=entry.elf.architectures or ())
    size = 0 if is_rpm(entry.path) or entry.name == "ld.so.cache" else entry.size
    return replace(entry, head=b"", elf=elf, size=size)


def _told(found: Finding) -> Finding:
    """A finding without what only a written layer has, its digest."""
    return Finding(**{**{name: getattr(found, name) for name in found.__struct_fields__}, "layer_digest": ""})


def _as_ordered_in(real: Image, image: Image) -> Image:
    """The image with its files in the other's order: folders are read by name, and sentences name the first file."""
    places = {path: place for place, path in enumerate(real.entries)}
    assert places.keys() >= image.entries.keys()
    entries = {path: image.entries[path] for path in sorted(image.entries, key=places.__getitem__)}
    return rendered.altered(image, entries=entries)
