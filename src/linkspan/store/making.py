"""What every front end that makes a CDI spec needs beside the plan: which hook to name, and what to leave out."""

import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

import msgspec

from linkspan.facts.model import CsvEntry, HostFacts
from linkspan.store import launchers, refresh
from linkspan.store.state import find_program


def hook_program(path: str = "") -> str:
    """The hook program to name in a spec: the one given, else the installed one."""
    installed = launchers.Place().hook
    return path or find_program(installed, "") or find_program("linkspan-hook", os.environ.get("PATH", "")) or installed


def without_links(facts: HostFacts, patterns: Sequence[str]) -> HostFacts:
    """The facts without the symlinks of CSV files that a pattern matches; ``**/x`` matches the name alone."""

    def ignored(entry: CsvEntry) -> bool:
        name = entry.path.rpartition("/")[2]
        return entry.type == "sym" and any(
            fnmatchcase(name, pattern[3:]) if pattern.startswith("**/") else fnmatchcase(entry.path, pattern)
            for pattern in patterns
        )

    return msgspec.structs.replace(facts, csv=tuple(entry for entry in facts.csv if not ignored(entry)))


def nvml_warnings(facts: HostFacts) -> Iterator[str]:
    """What a spec of this host may lack because NVML did not answer."""
    if facts.platform == "nvml" and not refresh.asked_nvml(facts):
        reasons = "; ".join(item.reason for item in facts.missing if item.part == "NVML")
        yield f"NVML did not answer, so GPUs are as /proc knows them, and MIG is not seen ({reasons})"
