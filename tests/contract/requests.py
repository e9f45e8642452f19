"""Requests (``vectors``) put to the runtime and the prestart hook, which are judged by the nodes that they give."""

import functools
import json
import os
from collections.abc import Callable
from typing import Any

from tests.containers import Bundle, Outcome, Wrapper, new_bundle, run
from tests.contract import vectors
from tests.contract.case import Answer, Case
from tests.contract.programs import Programs
from tests.contract.vectors import Devices, Vector
from tests.rootfs import fresh_root

LIST_NODES = ("/bin/sh", "-c", "ls -d /dev/nvidia* 2>/dev/null; true")


def cases() -> list[Case]:
    """Every request."""
    return [
        Case(
            vector.program,
            vector.name,
            shown(vector.expected),
            functools.partial(_create if vector.program == "runtime" else _prestart, vector),
            None if vector.better == "same" else shown(vector.better),
            vector.why,
        )
        for vector in vectors.ALL
    ]


def shown(devices: Devices) -> str:
    """Device nodes in short."""
    if devices is None:
        return "refused"
    return " ".join(sorted(path.removeprefix("/dev/") for path in devices)) or "nothing"


def _create(vector: Vector, programs: Programs) -> Answer:
    """``create`` over a low-level runtime that does nothing: the answer is in config.json."""
    outcome, config = patched(programs, vector)
    return _answer(outcome, nodes(config))


def patched(
    programs: Programs, vector: Vector, shape: Callable[[Bundle], object] = Bundle.write
) -> tuple[Outcome, dict[str, Any]]:
    """The same: how it went, and what became of config.json."""
    with new_bundle("/nowhere") as bundle:
        _asking(bundle, vector)
        shape(bundle)
        outcome = programs.toolkit.patch(bundle.write(), Wrapper(programs.path("runtime"), settings(programs, vector)))
        with open(bundle.path, encoding="utf-8") as file:
            return outcome, json.load(file)


def _prestart(vector: Vector, programs: Programs) -> Answer:
    outcome = hooked(programs, vector, LIST_NODES)
    return _answer(outcome, frozenset(outcome.output.split()))


def hooked(
    programs: Programs, vector: Vector, command: tuple[str, ...], shape: Callable[[Bundle], object] = Bundle.write
) -> Outcome:
    """A container that is given its GPUs once it has been created: what its command printed is the answer."""
    with fresh_root() as root, new_bundle(root, *command) as bundle:
        _asking(bundle, vector)
        env = {"PATH": os.environ["PATH"], **settings(programs, vector)}
        program = programs.path("hook")
        entry = {"path": program, "args": [program, "prestart"], "env": [f"{key}={env[key]}" for key in env]}
        bundle.config["hooks"] = {"prestart": [entry]}
        shape(bundle)
        return run(programs.low_level, bundle)


def settings(programs: Programs, vector: Vector) -> dict[str, str]:
    """The variables by which a program finds the configuration of a request."""
    return programs.toolkit.wrapper("/bin/true", mode=vector.mode, top=vector.config).env


def _asking(bundle: Bundle, vector: Vector) -> None:
    bundle.env(*vector.env)
    bundle.config["annotations"] = dict(vector.annotations)
    bundle.config["mounts"] += [{"source": source, "destination": place} for source, place in vector.mounts]


def _answer(outcome: Outcome, devices: frozenset[str]) -> Answer:
    return Answer(shown(None if outcome.created else devices), outcome.errors.strip())


def nodes(config: dict[str, Any]) -> frozenset[str]:
    """The device nodes of the driver in a config.json."""
    listed = config["linux"].get("devices") or ()
    return frozenset(entry["path"] for entry in listed if entry["path"].startswith("/dev/nvidia"))
