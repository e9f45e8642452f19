"""Bases that hold nothing, so that buildah goes through each instruction of a Dockerfile without what it installs.

Buildah reads an instruction only when its turn comes: without a base, a misspelt one is never seen. These bases have
the names of the real ones, a shell that does nothing and says that it went well, and what later stages copy.
"""

import os
import re
import subprocess

from tests.builders.buildah import Buildah

SHELL = "int main(void) { return 0; }\n"
_FROM = re.compile(r"^FROM\s+(\S+)(?:\s+AS\s+(\S+))?", re.MULTILINE | re.IGNORECASE)
_COPIED = re.compile(r"^COPY\s+(?:--\S+\s+)*?--from=\S+\s+(?:--\S+\s+)*(\S+)\s+\S+$", re.MULTILINE)


def bases(text: str) -> list[str]:
    """The images that a Dockerfile starts from, without the stages of its own."""
    found = _FROM.findall(text)
    own = {name for _, name in found}
    return sorted({image for image, _ in found} - own)


def add(builder: Buildah, text: str, folder: str) -> None:
    """Give the store a stub for each base of a Dockerfile; ``folder`` is an empty one for what they are made of."""
    for path in ("/bin", "/etc", *_COPIED.findall(text)):
        os.makedirs(f"{folder}{path}", exist_ok=True)
    argv = ["gcc", "-static", "-x", "c", "-", "-o", f"{folder}/bin/sh"]
    subprocess.run(argv, input=SHELL, text=True, check=True, timeout=60)
    with open(f"{folder}/etc/passwd", "w", encoding="ascii") as file:
        file.write("root:x:0:0:root:/root:/bin/sh\n")
    with open(f"{folder}/Dockerfile", "w", encoding="ascii") as file:
        file.write("FROM scratch\nCOPY . /\n")
    builder.run("bud", "--tag=stub", folder)
    for name in bases(text):
        builder.run("tag", "stub", _full(name))


def _full(name: str) -> str:
    """A name with its registry, as buildah has it after its search."""
    first, slash, _ = name.partition("/")
    if slash and ("." in first or ":" in first):
        return name
    return f"docker.io/{name}" if slash else f"docker.io/library/{name}"
