"""Containers whose last start failed, by what their engine kept of the reason."""

import re
from collections.abc import Iterator

from linkspan.check.docker_state import Record
from linkspan.check.model import Evidence
from linkspan.check.scene import Scene


def failed(scene: Scene, pattern: str) -> Iterator[tuple[Record, re.Match[str]]]:
    """The containers that do not run, and whose error matches."""
    wanted = re.compile(pattern, re.IGNORECASE)
    for record in scene.docker_records:
        match = None if record.running else wanted.search(record.error)
        if match:
            yield record, match


def kept(record: Record) -> Evidence:
    """The error as evidence, the end of a long one, where its cause stands."""
    text = record.error.strip()
    return Evidence(subject=record.path, field="State.Error", value=text if len(text) < 400 else f"…{text[-400:]}")
