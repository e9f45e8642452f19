"""A Dockerfile where an image is looked for: its rules' findings in the form that those of images have."""

import os
import re

from linkspan.errors import FormatError
from linkspan.image import dockerfile, dockerfile_checks
from linkspan.image.dockerfile_model import DockerfileFinding
from linkspan.image.registry import Finding

_BEGINS = re.compile(r"(FROM\s+(--\S+\s+)*\S+(\s+AS\s+\S+)?|ARG\s+\w+(=.*|(\s+\w+.*)?))\s*\\?", re.IGNORECASE)
"""What a Dockerfile may begin with; comments, and the directives of its parser, may stand before."""
_HEAD = 64 << 10


_NAMED = re.compile(r"(Docker|Container)file([._-].*)?|.*\.(docker|container)file")


def is_dockerfile(path: str) -> bool:
    """True for a file that reads like a Dockerfile, and for a text that is called like one, broken as it may be."""
    if not os.path.isfile(path):
        return False
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    if head and b"\0" not in head and _NAMED.fullmatch(os.path.basename(path)):
        return True
    lines = head.decode("utf-8-sig", "replace").splitlines()
    told = (line.strip() for line in lines)
    return bool(_BEGINS.fullmatch(next((line for line in told if line and not line.startswith("#")), "")))


def findings(path: str) -> list[Finding]:
    """What the rules say of a Dockerfile. FormatError where no builder would build it, OSError where it is not read."""
    with open(path, "rb") as file:
        data = file.read(dockerfile.LARGEST * 4 + 1)
    try:
        found = dockerfile_checks.findings(dockerfile.parse(data.decode()))
    except UnicodeDecodeError as error:
        raise FormatError(f"{path} is no text in UTF-8", subject=path) from error
    except FormatError as error:
        raise FormatError(f"{path}: {error.message}", hint=error.hint, subject=path) from error
    return [as_finding(one, path) for one in found]


def as_finding(one: DockerfileFinding, path: str) -> Finding:
    """A finding of a Dockerfile in the form that those of images have."""
    return Finding(
        id=one.id,
        title=one.title,
        area="dockerfile",
        severity=one.severity,
        why=one.why,
        cause=one.cause,
        fix=one.fix,
        file=path,
        line=one.line,
    )
