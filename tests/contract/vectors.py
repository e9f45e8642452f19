"""What is asked, and what has to come of it.

The requests are those recorded with NVIDIA's toolkit (tests/golden/requests.json) and some more from its documentation
and from other people's bug reports. Where linkspan does better on purpose, both answers are given, with the reason:
another toolkit may give either.
"""

import dataclasses
import json
import os
from collections.abc import Iterator
from typing import Any, Literal

Devices = frozenset[str] | None
"""The device nodes of the driver that a container gets; None where it is refused."""

CONTROL = frozenset({"/dev/nvidia-modeset", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidiactl"})
COMPUTE = CONTROL - {"/dev/nvidia-modeset"}


@dataclasses.dataclass(frozen=True)
class Vector:
    """One request to one kind of program; ``better`` is linkspan's answer where that is another one, and ``why``."""

    program: Literal["runtime", "hook"]
    name: str
    env: tuple[str, ...]
    expected: Devices
    better: Devices | Literal["same"] = "same"
    why: str = ""
    mode: str = "auto"
    config: str = ""
    annotations: tuple[tuple[str, str], ...] = ()
    mounts: tuple[tuple[str, str], ...] = ()

    @property
    def ours(self) -> Devices:
        """What linkspan has to answer."""
        return self.expected if self.better == "same" else self.better

    def __str__(self) -> str:
        """For test ids."""
        return f"{self.program}: {self.name}"


def gpus(*minors: int) -> frozenset[str]:
    """The nodes of these GPUs."""
    return frozenset(f"/dev/nvidia{minor}" for minor in minors)


_BETTER: dict[str, tuple[Devices, str]] = {
    "visible=0,0 dup": (gpus(0) | CONTROL, "a GPU that is named twice is that GPU, not none"),
    "require unsatisfied": (None, "a driver that is too old is refused at the start, not inside CUDA"),
    "require malformed": (None, "a requirement that cannot be read is not one that holds"),
    "caps unknown": (None, "a capability that does not exist is a typing error"),
    "caps utility": (gpus(0) | {"/dev/nvidiactl"}, "the nodes of a capability come with it, and no others"),
    "caps compute": (gpus(0) | COMPUTE, "the nodes of a capability come with it, and no others"),
}


def _recorded() -> Iterator[Vector]:
    path = f"{os.path.dirname(__file__)}/../golden/requests.json"
    with open(path, encoding="utf-8") as file:
        cases: list[dict[str, Any]] = json.load(file)["cases"]
    for case in cases:
        answer = case["toolkit_1_20"]
        better, why = _BETTER.get(case["name"], ("same", ""))
        yield Vector(
            "runtime",
            case["name"],
            tuple(case["env"]),
            None if answer["exit"] else frozenset(answer["devices"]),
            better,  # type: ignore[arg-type]  # a Devices or the word
            why,
            mode=case.get("mode", "auto"),
            config=case.get("config", ""),
            annotations=tuple(case.get("annotations", {}).items()),
            mounts=tuple((mount["source"], mount["destination"]) for mount in case.get("mounts", ())),
        )


def _asked(program: Literal["runtime", "hook"], name: str, value: str, expected: Devices, **more: Any) -> Vector:
    return Vector(program, name, (f"NVIDIA_VISIBLE_DEVICES={value}",), expected, **more)


_UUID = "GPU-01000100-0000-0000-0000-00000000000{}"

RUNTIME = (
    *_recorded(),
    _asked("runtime", "a list with blanks", " 0 , 1 ", gpus(0, 1) | CONTROL),
    _asked("runtime", "a UUID", _UUID.format(3), gpus(3) | CONTROL),
    _asked(
        "runtime", "a UUID in lower case", _UUID.format(3).lower(), None, better=gpus(3) | CONTROL, why="it is the same"
    ),
    _asked("runtime", "the last of two values", "2", gpus(2) | CONTROL),
    _asked("runtime", "void among others", "0,void", frozenset()),
    _asked("runtime", "this toolkit's own name", "runtime.nvidia.com/gpu=0", gpus(0) | CONTROL),
    _asked("runtime", "plain and qualified", "0,nvidia.com/gpu=1", None),
    Vector("runtime", "a variable without a value", ("NVIDIA_VISIBLE_DEVICES=0", "NOEQUALS"), None),
)

HOOK = (
    _asked("hook", "all", "all", gpus(*range(8)) | COMPUTE),
    _asked("hook", "two of them", "0,2", gpus(0, 2) | COMPUTE),
    _asked("hook", "named twice", "0,0", gpus(0) | COMPUTE),
    _asked("hook", "a UUID", _UUID.format(7), gpus(7) | COMPUTE),
    _asked("hook", "none", "none", COMPUTE),
    _asked("hook", "void", "void", frozenset()),
    Vector("hook", "no request", (), frozenset()),
    _asked("hook", "one that is not there", "77", None),
    _asked("hook", "a CDI name", "nvidia.com/gpu=0", None),
    Vector(
        "hook",
        "the capability display",
        ("NVIDIA_VISIBLE_DEVICES=0", "NVIDIA_DRIVER_CAPABILITIES=display"),
        gpus(0) | {"/dev/nvidiactl", "/dev/nvidia-modeset"},
    ),
    Vector("hook", "an unknown capability", ("NVIDIA_VISIBLE_DEVICES=0", "NVIDIA_DRIVER_CAPABILITIES=banana"), None),
    Vector("hook", "a driver that is too old", ("NVIDIA_VISIBLE_DEVICES=0", "NVIDIA_REQUIRE_CUDA=cuda>=99.0"), None),
    Vector(
        "hook",
        "requirements switched off",
        ("NVIDIA_VISIBLE_DEVICES=0", "NVIDIA_REQUIRE_CUDA=cuda>=99.0", "NVIDIA_DISABLE_REQUIRE=1"),
        gpus(0) | COMPUTE,
    ),
    Vector(
        "hook",
        "MIG as a whole without the right to",
        ("NVIDIA_VISIBLE_DEVICES=0", "NVIDIA_MIG_CONFIG_DEVICES=all"),
        None,
    ),
)

ALL = (*RUNTIME, *HOOK)
