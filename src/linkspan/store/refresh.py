"""``cdi refresh``: the spec on disk follows the host, and never becomes poorer by mistake.

A valid spec is not replaced by one that lacks what it has of

- libcuda, libnvidia-ml and the node /dev/nvidia-uvm: containers would get half a driver, and fail late, or
- devices whose nodes are all still there, if NVML could not be asked, or if none of its devices is left. A spec that
  mounts a file which is gone cannot start a container, so its devices are no reason to keep it.

Fewer devices by NVML's own word (a GPU taken out, MIG laid out anew) are the truth, not poverty, and are written.
"""

import os
import posixpath
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NoReturn

import msgspec

from linkspan.emit import cdi_origin
from linkspan.errors import HostError, LinkspanError
from linkspan.facts import snapshot
from linkspan.facts.model import HostFacts
from linkspan.formats import cdi, state
from linkspan.formats.cdi import Document
from linkspan.kernel import stamps, trees
from linkspan.plan import wording
from linkspan.store import spec_file

_ESSENTIAL = ("libcuda.so.", "libnvidia-ml.so.", "nvidia-uvm")
"""What the names of files and nodes begin with that no CUDA program can do without."""


class Outcome(msgspec.Struct, frozen=True):
    """What a refresh did: the file, whether it was written, and in one line what changed or that nothing did."""

    path: str
    written: bool
    summary: str


def refresh(document: Document, facts: HostFacts, output: str, state_folder: str, *, force: bool = False) -> Outcome:
    """Write the spec where it differs from the one on disk, and keep the facts for the start path.

    Raises HostError where the new spec would be poorer than a good one (see above) and ``force`` is not set; then
    nothing is written.
    """
    path, form = spec_file.place(output, None)
    text = spec_file.render(document, form, cdi_origin.of(facts))
    old = spec_file.read(path).document
    if old and not force:
        _refuse_poorer(path, old, document, asked_nvml(facts))
    written = _content(path) != text
    if written:
        spec_file.write(path, text)
    _keep_facts(facts, f"{state_folder}/{state.FACTS}")
    return Outcome(path, written, _summary(path, old, document, facts, written=written))


def watch(once: Callable[[], HostFacts], every_s: float, say: Callable[[LinkspanError], None]) -> NoReturn:
    """Refresh now, and again whenever a stamp of the facts no longer holds, looked at every so many seconds.

    A look costs some dozen system calls; NVML is only asked when something has changed. What cannot be written, or
    should not, is said once for each time that it happens anew, and tried again.
    """
    last = ""
    while True:
        try:
            held = once().stamps
            last = ""
        except LinkspanError as error:
            held = ()
            if str(error) != last:
                say(error)
            last = str(error)
        time.sleep(every_s)
        while held and stamps.stale((stamp.kind, stamp.path, stamp.value) for stamp in held) is None:
            time.sleep(every_s)


def asked_nvml(facts: HostFacts) -> bool:
    """True where the facts' list of GPUs is NVML's word."""
    return "nvml" in facts.driver.readings


def _content(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def _refuse_poorer(path: str, old: Document, new: Document, nvml_answered: bool) -> None:
    losses = [part.rstrip(".") for part in _ESSENTIAL if _has(old, part) and not _has(new, part)]
    if all(os.path.exists(source) for source in _mounts(old).values()):
        losses += _lost_devices(old, new, nvml_answered)
    if losses:
        raise HostError(
            f"{path} is kept, since the new spec would lack {wording.listed(losses)}",
            hint="'linkspan facts' shows what was found; --force writes the new spec all the same",
            subject=path,
        )


def _has(document: Document, essential: str) -> bool:
    nodes = [node["path"] for edits in cdi.container_edits(document) for node in edits.get("deviceNodes") or []]
    return any(posixpath.basename(path).startswith(essential) for path in (*_mounts(document), *nodes))


def _lost_devices(old: Document, new: Document, nvml_answered: bool) -> Iterator[str]:
    names = _names(new)
    lost = [device for device in cdi.devices(old) if device["name"] not in names and _nodes_exist(device)]
    if lost and (not nvml_answered or not names & _names(old)):
        because = "" if nvml_answered else " (NVML did not answer)"
        yield f"{wording.plural(len(lost), 'device')} whose nodes are still there{because}"


def _nodes_exist(device: Document) -> bool:
    nodes = device["containerEdits"].get("deviceNodes") or []
    return bool(nodes) and all(stamps.take("node", node.get("hostPath") or node["path"]) for node in nodes)


def _names(document: Document) -> set[str]:
    return {device["name"] for device in cdi.devices(document)}


def _mounts(document: Document) -> dict[str, str]:
    """All mounts of a spec: path in the container to path on the host."""
    entries = [mount for edits in cdi.container_edits(document) for mount in edits.get("mounts") or []]
    return {mount["containerPath"]: mount["hostPath"] for mount in entries}


def _keep_facts(facts: HostFacts, path: str) -> None:
    trees.make_folders(os.path.dirname(path))
    snapshot.save(facts, path)


def _summary(path: str, old: Document | None, new: Document, facts: HostFacts, *, written: bool) -> str:
    driver = f", driver {facts.driver.version}" if facts.driver.version else ""
    what = f"{wording.plural(len(_names(new)), 'device')}{driver}"
    if not written:
        return f"{path} is up to date: {what}"
    if old is None:
        return f"wrote {path}: {what}"
    return f"wrote {path}: {what}; {'; '.join(_changes(old, new)) or 'only its origin changed'}"


def _changes(old: Document, new: Document) -> Iterator[str]:
    before, after = _names(old), _names(new)
    yield from _difference("device", before, after)
    yield from _difference("file", _mounts(old), _mounts(new))
    if old != new and before == after and _mounts(old).keys() == _mounts(new).keys():
        yield "its edits changed"


def _difference(noun: str, before: Iterable[str], after: Iterable[str]) -> Iterator[str]:
    for verb, names in (("added", sorted({*after} - {*before})), ("gone", sorted({*before} - {*after}))):
        if names:
            yield f"{wording.plural(len(names), noun)} {verb}: {_some(names)}"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
