"""Ids of GPUs and MIG devices, in every spelling that people use, looked up in the host's facts.

0                         NVML index (also 00)
GPU-1f3a…                 UUID, or a prefix of it that only one GPU has; upper or lower case
0000:1a:00.0, 1A:0.0      PCI bus id, with any zero padding, with or without the domain
0:1                       MIG device 1 of GPU 0
MIG-7c0e…                 UUID of a MIG device, or a prefix of it
MIG-GPU-1f3a…/1/0         the form of drivers before 470: GPU, GPU instance, compute instance
all                       every GPU; those in MIG mode by their MIG devices
none                      the driver, and no GPU
"""

import re
from collections.abc import Callable, Iterable

from linkspan.errors import DeviceNotFound, RequestError
from linkspan.facts.model import Gpu, HostFacts, MigDevice, Model
from linkspan.plan.wording import ids as shown_ids
from linkspan.plan.wording import listed, quoted

LIST_HINT = "'linkspan facts' lists the GPUs of this host"

_INDEX = re.compile(r"[0-9]{1,9}")
_MIG_INDEX = re.compile(r"([0-9]{1,9}):([0-9]{1,9})")
_PCI = re.compile(r"(?:([0-9a-f]{1,8}):)?([0-9a-f]{1,8}):([0-9a-f]{1,8})\.([0-7])", re.IGNORECASE)
_OLD_MIG = re.compile(r"MIG-(GPU-[0-9a-f-]{1,64})/([0-9]{1,9})/([0-9]{1,9})", re.IGNORECASE)


class Choice(Model, frozen=True, kw_only=True):
    """One device that was chosen: a whole GPU, or one MIG device of it."""

    gpu: Gpu
    mig: MigDevice | None = None

    @property
    def index(self) -> str:
        """How it is called by index: ``G``, or ``G:M``."""
        return f"{self.gpu.index}:{self.mig.index}" if self.mig else str(self.gpu.index)

    @property
    def uuid(self) -> str:
        """Its own UUID."""
        return self.mig.uuid if self.mig else self.gpu.uuid


class Selection(Model, frozen=True, kw_only=True):
    """The devices chosen, in the order of the request, each once."""

    choices: tuple[Choice, ...] = ()

    @property
    def gpus(self) -> tuple[Gpu, ...]:
        """The GPUs concerned, each once: those chosen, and the parents of chosen MIG devices."""
        return tuple({choice.gpu.index: choice.gpu for choice in self.choices}.values())

    @property
    def mig(self) -> tuple[tuple[Gpu, MigDevice], ...]:
        """The MIG devices chosen, each with its GPU."""
        return tuple((choice.gpu, choice.mig) for choice in self.choices if choice.mig)


def select(facts: HostFacts, ids: Iterable[str]) -> Selection:
    """The devices that these ids name, in order and without repeats.

    Raises DeviceNotFound where an id names none (all such ids in one sentence), RequestError where it names several.
    """
    found: dict[str, Choice] = {}
    unknown: list[str] = []
    for asked in ids:
        choices = _find(facts, asked)
        if not choices and asked != "none":
            unknown.append(asked)
        found |= {choice.index: choice for choice in choices}
    if unknown:
        raise _not_found(facts, unknown)
    return Selection(choices=tuple(found.values()))


def available(facts: HostFacts) -> list[str]:
    """The index of every device that can be asked for; MIG devices in the place of their GPU."""
    return [choice.index for choice in _all(facts)]


def _find(facts: HostFacts, asked: str) -> list[Choice]:
    """What one id names: nothing, one device, or, for ``all``, many."""
    if asked.lower() == "all":
        return _all(facts)
    for pattern, matches in _BY_PATTERN:
        if parts := pattern.fullmatch(asked):
            return [choice for choice in _every(facts) if matches(choice, parts)]
    return _by_uuid(facts, asked)


def _all(facts: HostFacts) -> list[Choice]:
    """What ``all`` stands for: a GPU in MIG mode cannot compute as a whole, so its MIG devices stand for it."""
    return [choice for choice in _every(facts) if choice.mig or not choice.gpu.mig_enabled]


def _every(facts: HostFacts) -> Iterable[Choice]:
    for gpu in facts.gpus:
        yield Choice(gpu=gpu)
        yield from (Choice(gpu=gpu, mig=mig) for mig in gpu.mig)


def _is_index(choice: Choice, parts: re.Match[str]) -> bool:
    return choice.mig is None and choice.gpu.index == int(parts[0])


def _is_mig_index(choice: Choice, parts: re.Match[str]) -> bool:
    return choice.mig is not None and (choice.gpu.index, choice.mig.index) == (int(parts[1]), int(parts[2]))


def _is_pci(choice: Choice, parts: re.Match[str]) -> bool:
    own = _PCI.fullmatch(choice.gpu.pci_bus_id)
    return choice.mig is None and own is not None and _pci_number(own) == _pci_number(parts)


def _pci_number(parts: re.Match[str]) -> tuple[int, ...]:
    return tuple(int(part or "0", 16) for part in parts.groups())


def _is_old_mig(choice: Choice, parts: re.Match[str]) -> bool:
    if choice.mig is None or choice.gpu.uuid.lower() != parts[1].lower():
        return False
    return (choice.mig.gi, choice.mig.ci) == (int(parts[2]), int(parts[3]))


_BY_PATTERN: tuple[tuple[re.Pattern[str], Callable[[Choice, re.Match[str]], bool]], ...] = (
    (_INDEX, _is_index),
    (_MIG_INDEX, _is_mig_index),
    (_PCI, _is_pci),
    (_OLD_MIG, _is_old_mig),
)


def _by_uuid(facts: HostFacts, asked: str) -> list[Choice]:
    wanted = asked.lower()
    if not wanted.startswith(("gpu-", "mig-")) or len(wanted) == len("gpu-"):
        return []
    matches = [choice for choice in _every(facts) if choice.uuid.lower().startswith(wanted)]
    exact = [choice for choice in matches if choice.uuid.lower() == wanted]
    if len(matches) > 1 and not exact:
        raise RequestError(
            f"{quoted(asked)} is the beginning of more than one UUID: {shown_ids([match.uuid for match in matches])}",
            hint="give as many characters as tell them apart",
            subject=asked,
        )
    return exact or matches


def _not_found(facts: HostFacts, unknown: list[str]) -> DeviceNotFound:
    were = "were" if len(unknown) > 1 else "was"
    return DeviceNotFound(
        f"{listed(map(quoted, unknown))} {were} asked for, but {_what_there_is(facts)}",
        hint=LIST_HINT,
        subject=unknown[0],
    )


def _what_there_is(facts: HostFacts) -> str:
    if not facts.gpus:
        return "this host has no GPU"
    if choices := available(facts):
        migs = any(":" in index for index in choices)
        return f"this host has {'GPUs and MIG devices' if migs else 'GPUs'} {shown_ids(choices)}"
    return "every GPU of this host is in MIG mode and has no MIG device"
