"""Secrets in what an image shows to everybody who has it; they are found, and never repeated."""

import re
from collections.abc import Iterator

_WORD = r"(?:TOKEN|API_?KEY|SECRET|SECRET_KEY|ACCESS_KEY|PASSWORD|PASSWD|PRIVATE_KEY|CREDENTIALS)"
_NAME = re.compile(rf"(?:[A-Z0-9_]*_)?{_WORD}", re.IGNORECASE)
_SHAPE = re.compile(
    r"hf_[A-Za-z0-9]{30,}|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|nvapi-[\w-]{40,}|AKIA[0-9A-Z]{16}"
    r"|sk-[A-Za-z0-9_-]{32,}|xox[abp]-[\w-]{20,}|-----BEGIN [A-Z ]*PRIVATE KEY|://[^/\s:@]+:[^/\s:@$]{6,}@"
)
_ASSIGNED = re.compile(rf"(?<![A-Za-z0-9_-])((?:[A-Za-z0-9_]*_)?{_WORD})=(\"[^\"]*\"|'[^']*'|[^\s;|&]+)", re.IGNORECASE)
_IN_ADDRESS = re.compile(r"://[^/\s@]*:[^/\s@]+@")
_HARMLESS = re.compile(r"\d{1,8}|true|false|none|null|x+|\*+|<.*>|change-?me|your[-_].*|[$/].*|todo", re.IGNORECASE)
"""Values that are none: switches, numbers, what is to be filled in, a variable, or the path of a file."""


def is_secret(name: str, value: str) -> bool:
    """True for a variable that is called like a secret and has a value, or whose value looks like one."""
    bare = value.strip("\"'")
    return bool(_SHAPE.search(value)) or bool(bare and _NAME.fullmatch(name) and not _HARMLESS.fullmatch(bare))


def masked(command: str) -> str:
    """A layer's command without its secrets, to be shown."""
    command = _IN_ADDRESS.sub("://***@", command)
    named = _ASSIGNED.sub(lambda found: f"{found[1]}=***" if is_secret(found[1], found[2]) else found[0], command)
    return _SHAPE.sub("***", named)


def in_command(command: str) -> Iterator[str]:
    """What in a layer's command is a secret: the variables' names, or 'a token' for one without a name."""
    known = [name for name, value in _ASSIGNED.findall(command) if is_secret(name, value)]
    yield from dict.fromkeys(known)
    if not known and _SHAPE.search(command):
        yield "a token"
