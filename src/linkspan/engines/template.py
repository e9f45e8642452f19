"""A Go template that makes a TOML file: blocks of ours put at its end and taken out, all else is left alone.

Such a text cannot be parsed before it is rendered, so a block stands between two lines that we know again.
"""

import re
from typing import Any

from linkspan.engines.model import Key

_BLOCK = re.compile(
    r"^# linkspan: runtime (?P<name>\S+), made by 'linkspan engine configure'\r?\n(?P<body>.*?)^# linkspan: end"
    r"(?P<end>\r?\n|\Z)",
    re.DOTALL | re.MULTILINE,
)
_RUNTIME = re.compile(r"^[ \t]*\[.*\.runtimes\.(?:\"([^\"]+)\"|'([^']+)'|([A-Za-z0-9_-]+))[ \t]*\]", re.MULTILINE)
_BINARY = re.compile(r"^[ \t]*(?:BinaryName|Runtime)[ \t]*=[ \t]*[\"']([^\"']*)[\"']", re.MULTILINE)


def parse(text: str, path: str = "") -> dict[str, Any]:
    """Our blocks by runtime, and the programs of the runtimes that others wrote; nothing in a template is an error."""
    del path
    blocks = {match["name"]: match["body"].replace("\r\n", "\n") for match in _BLOCK.finditer(text)}
    return {"blocks": blocks, "others": runtimes(_BLOCK.sub("", text))}


def runtimes(text: str) -> dict[str, str]:
    """The runtimes that a text has headers for, with their programs; also of a rendered file."""
    headers = list(_RUNTIME.finditer(text))
    found: dict[str, str] = {}
    for number, match in enumerate(headers, start=1):
        end = headers[number].start() if number < len(headers) else len(text)
        binary = _BINARY.search(text, match.end(), end)
        found[match[1] or match[2] or match[3]] = binary[1] if binary else ""
    return found


def put(text: str, path: Key, value: str) -> str:
    """The text with our block at its end, or in the place of an earlier one."""
    newline = "\r\n" if "\r\n" in text else "\n"
    name = path[-1]
    body = f"# linkspan: runtime {name}, made by 'linkspan engine configure'\n{value}# linkspan: end"
    block = body.replace("\n", newline)
    if name in parse(text)["blocks"]:
        return put_raw(text, path, value)
    if not text or text.endswith("\n"):
        return f"{text}{newline if text else ''}{block}{newline}"
    return f"{text}{newline}{newline}{block}"


def headers(text: str) -> set[Key]:
    """Nothing that a block would not take along."""
    del text
    return set()


def cut(text: str, path: Key) -> str:
    """The text without our block, and without the blank line before it."""
    for match in _BLOCK.finditer(text):
        if match["name"] == path[-1]:
            before = text[: match.start()]
            for _ in range(1 if match["end"] else 2):
                before = before.removesuffix("\n").removesuffix("\r")
            return before + text[match.end() :]
    return text


def raw(text: str, path: Key) -> str | None:
    """The body of our block."""
    body = parse(text)["blocks"].get(path[-1])
    return None if body is None else str(body)


def put_raw(text: str, path: Key, value: str) -> str:
    """The text with another body in our block."""
    return put(cut(text, path), path, value)
