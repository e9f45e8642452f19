"""The policy of a check: rules switched off or weighed otherwise, for some paths, with a reason, for a time.

    [[rule]]
    id = "I-BOUNDARY-1"
    paths = ["/opt/vendor/*"]     # all that a finding is about must match; without it, the whole rule
    severity = "off"              # or critical, error, warning, info
    reason = "the vendor's installer needs it, ticket 4711"
    expires = 2027-03-01          # the first day on which this no longer counts

Every key but ``paths`` must be there. Of several entries that are about a finding the first one counts.
"""

import datetime
import re
import tomllib
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Literal

import msgspec

from linkspan.check.model import Severity
from linkspan.engines import tomlscan
from linkspan.errors import ConfigError
from linkspan.facts.model import Model
from linkspan.image import dockerfile_checks, registry
from linkspan.image.registry import Finding

_LINE = re.compile(r" \(at line (\d+), column \d+\)$|( \(at end of document\))$")
_ADDRESS = re.compile(r" - at `\$\.rule\[(\d+)\](?:\.(\w+))?[^`]*`$")
_UNKNOWN = re.compile(r"unknown field `([^`]*)`")
_EXAMPLE = "an entry is [[rule]] with id, severity, reason and expires = 2027-03-01, and paths if it is about some only"


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry as it is written."""

    id: str
    severity: Literal["off"] | Severity
    reason: str
    expires: datetime.date
    paths: tuple[str, ...] = ()


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rule: tuple[_Entry, ...] = ()


class Setting(Model, frozen=True, kw_only=True):
    """An entry of a policy; ``place`` is its FILE:LINE."""

    id: str
    severity: Literal["off"] | Severity
    reason: str
    expires: datetime.date
    place: str
    paths: tuple[str, ...] = ()

    def is_about(self, one: Finding) -> bool:
        """Whether it is for a finding: for one with several paths, only where it is for all of them."""
        if self.id != one.id or not self.paths:
            return self.id == one.id
        places = one.paths or ((one.file,) if one.file else ())
        return bool(places) and all(self._matches(path) for path in places)

    def _matches(self, path: str) -> bool:
        return any(fnmatchcase(path, pattern) for pattern in self.paths)


class Policy(Model, frozen=True, kw_only=True):
    """A policy; an empty one changes nothing."""

    settings: tuple[Setting, ...] = ()

    def in_force(self, today: datetime.date) -> tuple[Setting, ...]:
        """The entries that count on a day."""
        return tuple(one for one in self.settings if today < one.expires)

    def notes(self, today: datetime.date) -> tuple[str, ...]:
        """What is wrong with it on a day: entries that have expired, and those of rules that there are not."""
        known = {rule.id for rule in registry.all_rules()} | {rule.id for rule in dockerfile_checks.all_rules()}
        return tuple(note for one in self.settings for note in _notes(one, today, known))


def today() -> datetime.date:
    """The day by which entries expire, in UTC: the same for everybody who reads a policy."""
    return datetime.datetime.now(datetime.UTC).date()


def _notes(one: Setting, today: datetime.date, known: set[str]) -> Iterator[str]:
    if one.id not in known:
        yield f"{one.place}: there is no rule {one.id}, so this entry does nothing"
    elif today >= one.expires:
        yield f"{one.place}: the entry for {one.id} expired on {one.expires}, so the rule counts again"


def parse(data: bytes, name: str) -> Policy:
    """The policy in a TOML file. Raises ConfigError with FILE:LINE where it cannot be followed to the letter."""
    text = _decode(data, name)
    tree = _tree(text, name)
    places = _Places(text, name)
    try:
        file = msgspec.convert(tree, _File)
    except msgspec.ValidationError as error:
        raise places.error(str(error)) from None
    for number, entry in enumerate(file.rule):
        _check(entry, places, number)
    return Policy(settings=tuple(_settings(file.rule, places)))


def _decode(data: bytes, name: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        place = f"{name}:{line}"
        message = f"{place}: byte 0x{data[error.start]:02x} is not UTF-8"
        raise ConfigError(message, hint="save the file as UTF-8 text", subject=place) from None


def _tree(text: str, name: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _LINE.search(str(error))
        line = int(found[1]) if found and found[1] else text.count("\n") + 1
        reason = _LINE.sub("", str(error))
        message = f"{name}:{line}: {reason[:1].lower()}{reason[1:]}"
        raise ConfigError(message, hint="the policy has to be TOML", subject=f"{name}:{line}") from None


def _check(entry: _Entry, places: "_Places", number: int) -> None:
    for key in ("id", "reason"):
        if not getattr(entry, key).strip():
            raise places.refused(f"{key} is empty", number, key)
    for pattern in entry.paths:
        if not pattern.startswith(("/", "*")):
            raise places.refused(
                f"the path '{pattern}' begins with neither / nor *, so it matches nothing", number, "paths"
            )


def _settings(entries: Iterable[_Entry], places: "_Places") -> Iterator[Setting]:
    for number, one in enumerate(entries):
        yield Setting(
            id=one.id,
            severity=one.severity,
            reason=one.reason,
            expires=one.expires,
            paths=one.paths,
            place=f"{places.name}:{places.line(number)}",
        )


class _Places:
    """Where the entries of a file stand, and their keys."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self._entries: list[int] = []
        self._keys: dict[tuple[int, str], int] = {}
        for statement in tomlscan.scan(text):
            line = text.count("\n", 0, statement.start) + 1
            self._note(statement, line)

    def _note(self, statement: tomlscan.Statement, line: int) -> None:
        if statement.kind == "array" and statement.key == ("rule",):
            self._entries.append(line)
        elif statement.kind != "inline" and statement.table == ("rule",):
            self._keys.setdefault((len(self._entries) - 1, statement.key[-1]), line)
        else:
            self._keys.setdefault((-1, statement.key[0]), line)

    def line(self, number: int, key: str = "") -> int:
        """The line of an entry's key, where it has it; else that of the entry."""
        of_entry = self._entries[number] if 0 <= number < len(self._entries) else 1
        return self._keys.get((number, key), of_entry)

    def refused(self, reason: str, number: int, key: str = "") -> ConfigError:
        """An error about an entry."""
        place = f"{self.name}:{self.line(number, key)}"
        return ConfigError(f"{place}: {reason}", hint=_EXAMPLE, subject=place)

    def error(self, message: str) -> ConfigError:
        """A complaint of msgspec's, with the line that it is about."""
        address, unknown = _ADDRESS.search(message), _UNKNOWN.search(message)
        number = int(address[1]) if address else -1
        key = unknown[1] if unknown else (address[2] or "") if address else "rule"
        reason = re.sub(r" - at `[^`]*`$", "", message).replace("`", "'")
        about = f"{key}: " if address and address[2] else "rule has to be [[rule]]: " if "`$.rule`" in message else ""
        return self.refused(f"{about}{reason[:1].lower()}{reason[1:]}", number, key)
