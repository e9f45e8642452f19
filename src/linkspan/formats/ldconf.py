"""The configuration of glibc's ``ldconfig``: ``/etc/ld.so.conf`` and what it includes (glibc, elf/ldconfig.c)."""


def parse(text: str) -> "tuple[list[str], list[str]]":
    """The folders that the text lists, and the patterns of files that it includes, both in order.

    Folders come without trailing slash and without the ``=TYPE`` suffix that glibc knew until 2.31; a relative one is
    left out. Patterns stay as they are written; a relative one starts at the including file's folder.
    """
    folders: list[str] = []
    patterns: list[str] = []
    for line in text.split("\n"):
        words = line.partition("#")[0].strip()
        if words[:7] == "include" and words[7:8] in (" ", "\t"):
            patterns += words[8:].split()
        elif words[:1] == "/":
            folders.append(words.partition("=")[0].rstrip(" \t/") or "/")
    return folders, patterns


def matches(name: str, pattern: str) -> bool:
    """Whether a file's name matches a pattern of ``*``; a leading dot has to be written out, as in glob(7).

    ``?`` and classes in brackets stand for themselves: no distribution uses them here.
    """
    first, *rest = pattern.split("*")
    if not rest or (name[:1] == "." and first[:1] != "."):
        return name == pattern
    *middle, last = rest
    at, end = len(first), len(name) - len(last)
    if at > end or not (name.startswith(first) and name.endswith(last)):
        return False
    for piece in middle:
        found = name.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True
