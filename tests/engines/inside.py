"""What is asked in containers of engines, beside the questions of the privileged tests."""

from collections.abc import Iterable

from tests.privileged.inside import (
    LIBRARIES,
    LIST_GPUS,
    answers,
    gpu_uuids,
    only_minors,
    open_libraries,
    open_nodes,
    uuids,
)

__all__ = ["LIBRARIES", "LIST_GPUS", "answers", "gpu_uuids", "only_minors", "open_libraries", "open_nodes", "uuids"]


def list_and_open(*names: str) -> tuple[str, ...]:
    """The command that lists the GPUs, then opens libraries by name in an empty environment."""
    return ("/bin/sh", "-c", 'nvidia-smi -L && exec "$@"', "sh", *open_libraries(*names))


def sees(output: str, gpus: Iterable[int]) -> bool:
    """Whether ``nvidia-smi -L`` printed exactly these GPUs."""
    return uuids(output) == gpu_uuids(gpus)


def opened(output: str, *names: str) -> bool:
    """Whether these libraries were opened, from wherever."""
    found = answers(output)
    return all(found.get(name, "").startswith("/") for name in names)
