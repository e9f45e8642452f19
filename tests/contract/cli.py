"""What lists the driver and its GPUs, judged by exit code and output (contract 4.1 to 4.3).

An answer is a view of the output in one line: what is the same wherever such a program looks at the simulated host.
"""

import functools
import itertools
import os
import re
import subprocess

from tests.contract.case import Answer, Case
from tests.contract.cli_vectors import VECTORS, Vector
from tests.contract.programs import Programs

_KINDS = (
    (r"/dev/|/proc/", "nodes"),
    (r".*/(usr/)?s?bin/", "programs"),
    (r".*i386.*\.so|.*/lib32/", "32-bit libraries"),
    (r".*\.so\.", "libraries"),
    (r".*/firmware/", "firmware"),
    (r".*/socket$|/tmp/nvidia-mps", "services"),
)


def _ask(vector: Vector, programs: Programs) -> Answer:
    done = subprocess.run(
        [programs.path("cli"), f"--root={programs.toolkit.driver_root}", *vector.arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )
    view = _VIEWS[vector.view](done.stdout.splitlines())
    return Answer(f"exit {done.returncode}: {_stage(done.stderr) if done.returncode else view}", done.stderr.strip())


def _stage(said: str) -> str:
    """How an error begins, as scripts read it: its stage, and the thing that is not known."""
    found = re.match(r"nvidia-container-cli: (device error: \S+: unknown device|[\w-]+ error)", said)
    return found[1] if found else "usage"


def _all(lines: list[str]) -> str:
    return " | ".join(lines) or "nothing"


def _kinds(lines: list[str]) -> str:
    """Kinds of paths in the order of their first lines; one that comes a second time is shown a second time."""
    kinds = (next((kind for pattern, kind in _KINDS if re.match(pattern, line)), line) for line in lines)
    return ", ".join(kind for kind, _ in itertools.groupby(kinds)) or "nothing"


def _names(lines: list[str]) -> str:
    """What stands before the colon of each line."""
    return ", ".join(line.partition(":")[0] for line in lines)


def _libraries(lines: list[str]) -> str:
    """Libraries that every program of this kind lists, by their names up to ``.so``."""
    stems = [os.path.basename(line).partition(".so.")[0] for line in lines]
    return " ".join(name for name in ("libcuda", "libnvidia-ml", "libnvidia-encode", "libGLX_nvidia") if name in stems)


def _programs(lines: list[str]) -> str:
    return " ".join(sorted(map(os.path.basename, lines))) or "nothing"


def _sockets(lines: list[str]) -> str:
    """/run and /var/run are one folder."""
    return " ".join(line.removeprefix("/var") for line in lines) or "nothing"


_VIEWS = {
    "all": _all,
    "first ten lines": lambda lines: _all(lines[:10]),
    "first five lines": lambda lines: _all(lines[:5]),
    "count": lambda lines: f"{len(lines)} lines",
    "kinds": _kinds,
    "names": _names,
    "libraries": _libraries,
    "programs": _programs,
    "sockets": _sockets,
}

CASES = tuple(
    Case(
        "cli",
        vector.name,
        f"exit {vector.exit}: {vector.wanted}",
        functools.partial(_ask, vector),
        None if vector.better is None else f"exit {vector.exit}: {vector.better}",
        vector.why,
    )
    for vector in VECTORS
)
