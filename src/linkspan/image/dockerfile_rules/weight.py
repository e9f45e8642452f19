"""Caches of package managers that stay in the image."""

import re
from collections.abc import Iterator

from linkspan.image.dockerfile_model import DockerfileRule, Fault, Run, Subject, on_cuda
from linkspan.image.shell_commands import Pip

APT = frozenset({"apt-get", "apt", "aptitude"})
_FETCHES = frozenset({"install", "update"})
_CLEARED = re.compile(r"\brm\s[^&;\n]*/var/(lib/apt|cache/(dnf|yum))|(dnf|yum|microdnf|tdnf)\s+(-y\s+)?clean\s+all")
_PIP_OFF = ("PIP_NO_CACHE_DIR", "UV_NO_CACHE")


def _lists(subject: Subject) -> Iterator[Fault]:
    for run in subject.runs:
        used = {command.program for command in run.commands if _FETCHES & set(command.arguments)}
        cleared = _CLEARED.search(run.text)
        if used & APT and not cleared and not run.caches("/var/lib/apt"):
            line = run.instruction.line_of(min(used & APT))
            yield Fault(
                line, "apt's lists of packages stay in the layer", "end this RUN with rm -rf /var/lib/apt/lists/*"
            )
        elif (
            (found := sorted(used & {"dnf", "yum", "microdnf", "tdnf"}))
            and not cleared
            and not run.caches("/var/cache")
        ):
            line = run.instruction.line_of(found[0])
            yield Fault(line, f"{found[0]}'s cache stays in the layer", f"end this RUN with {found[0]} clean all")


def _wheels(subject: Subject) -> Iterator[Fault]:
    for run in subject.runs:
        for pip in run.pips:
            if not _is_cleared(run, pip):
                line = run.instruction.line_of("install")
                yield Fault(line, f"{pip.tool}'s cache stays in the layer", _fix(pip))


def _is_cleared(run: Run, pip: Pip) -> bool:
    if pip.tool in ("conda", "mamba", "micromamba"):
        return bool(re.search(r"(conda|mamba)\s+clean", run.text)) or run.caches("/pkgs")
    off = any(run.step.variables.get(name, "").lower() not in ("", "0", "false", "off") for name in _PIP_OFF)
    told = {"--no-cache-dir", "--no-cache", "-n"} & set(pip.words) or "NO_CACHE" in run.text
    removed = re.search(r"\brm\s[^&;\n]*\.cache|pip\d* cache purge|uv cache clean", run.text)
    return bool(off or told or removed) or run.caches(".cache") or run.caches("pip") or run.caches("uv")


def _fix(pip: Pip) -> str:
    if pip.tool == "uv":
        return "write uv pip install --no-cache"
    return (
        "write pip install --no-cache-dir" if pip.tool == "pip" else f"end this RUN with {pip.tool} clean --all --yes"
    )


RULES = (
    DockerfileRule(
        *("DF-WEIGHT-1", "the package manager's lists are kept", "info"),
        *("They are tens of megabytes that nothing reads, and another RUN cannot take them out of this one's layer.",),
        look=_lists,
        bad=on_cuda("RUN apt-get update && apt-get install -y curl"),
        good=on_cuda("RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*"),
    ),
    DockerfileRule(
        *("DF-WEIGHT-2", "the cache of Python packages is kept", "warning"),
        *("Every wheel is in the image twice; those of PyTorch are about 2.7 GB.", _wheels),
        bad=on_cuda("RUN pip install numpy"),
        good=on_cuda("RUN --mount=type=cache,target=/root/.cache/pip pip install numpy"),
    ),
)
