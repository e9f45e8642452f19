"""Which GPUs a real container can open: it makes a node for each, and what may be opened is for its cgroup to say.

And which of them the driver tells it of in /proc, where it was given them by the prestart hook (contract 4.5).
"""

import functools

from tests import mounts
from tests.containers import Bundle, Outcome, Wrapper, new_bundle, run
from tests.contract import requests
from tests.contract.case import Answer, Case, Program
from tests.contract.programs import Programs
from tests.contract.vectors import Vector
from tests.privileged import inside
from tests.rootfs import fresh_root

_ASKED: dict[str, tuple[int, ...]] = {
    "0,2": (0, 2),
    "5": (5,),
    "all": tuple(range(8)),
    "none": (),
    "void": (),
}


def _ask(program: Program, value: str, programs: Programs) -> Answer:
    vector = Vector("runtime", "", (f"NVIDIA_VISIBLE_DEVICES={value}",), None)
    start = _by_runtime if program == "runtime" else _by_hook
    outcome = start(programs, vector)
    answers = inside.answers(outcome.output)
    opened = tuple(sorted(int(minor) for minor, answer in answers.items() if answer in ("opened", "ENXIO")))
    refused = all(answer == "EPERM" for minor, answer in answers.items() if int(minor) not in opened)
    given = _shown(opened) if refused and len(answers) == 8 else outcome.output or "it did not start"
    return Answer(given, outcome.errors.strip())


def _by_runtime(programs: Programs, vector: Vector) -> Outcome:
    """A container from its creation on."""
    wrapper = programs.toolkit.over(programs.low_level)
    with fresh_root() as root, new_bundle(root, *inside.open_nodes()) as bundle:
        bundle.env(*vector.env)
        return run(programs.low_level, bundle, Wrapper(programs.path("runtime"), wrapper.env))


def _by_hook(programs: Programs, vector: Vector) -> Outcome:
    """A container whose rules are changed once it has been created."""
    return requests.hooked(programs, vector, inside.open_nodes())


def _shown(minors: tuple[int, ...]) -> str:
    """Without a driver, an open that is allowed ends in ENXIO."""
    return f"may open {' '.join(map(str, minors)) or 'none'}, EPERM else"


def _ask_proc(value: str, programs: Programs) -> Answer:
    vector = Vector("hook", "", (f"NVIDIA_VISIBLE_DEVICES={value}",), None)
    with mounts.driver_proc_of(programs.toolkit.driver_root):
        outcome = requests.hooked(programs, vector, inside.LIST_GPU_FOLDERS, Bundle.host_proc)
    return Answer(" ".join(outcome.output.split()), outcome.errors.strip())


def _told(minors: tuple[int, ...]) -> str:
    return " ".join([*(inside.FOLDERS[minor] for minor in minors), "ModifyDeviceFiles: 0"])


_OPENED = tuple(
    Case(program, f"GPUs that can be opened: {value}", _shown(minors), functools.partial(_ask, program, value))
    for program in ("runtime", "hook")
    for value, minors in _ASKED.items()
)
_PROC = tuple(
    Case("hook", f"GPUs in /proc/driver/nvidia: {value}", _told(minors), functools.partial(_ask_proc, value))
    for value, minors in _ASKED.items()
    if value != "void"
)

CASES = (*_OPENED, *_PROC)
