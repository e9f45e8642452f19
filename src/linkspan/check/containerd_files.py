"""Configuration files of containerd that no engine of this host reads: whether they have a runtime for GPUs."""

from collections.abc import Mapping

from linkspan.engines import containerd
from linkspan.engines.model import owner
from linkspan.errors import ConfigError


def has_ours(runtimes: Mapping[str, str]) -> bool:
    """True where one of these runtimes is linkspan's or NVIDIA's."""
    return any(owner(program) != "other" for program in runtimes.values())


def defines_ours(text: str | None) -> bool:
    """True for the text of a file that defines such a runtime where its version looks."""
    try:
        return has_ours(containerd.view(containerd.SYNTAX.parse(text or "")).runtimes)
    except ConfigError:
        return False
