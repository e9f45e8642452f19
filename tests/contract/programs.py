"""The programs under test, and one request put to them.

    LINKSPAN_CONTRACT_RUNTIME   an OCI runtime wrapper, as nvidia-container-runtime is one
    LINKSPAN_CONTRACT_HOOK      a prestart hook, as nvidia-container-runtime-hook is one

Without them they are linkspan's, installed below a folder of the test's. The host is a simulated one, in a folder too.
"""

import dataclasses
import json
import os
from collections.abc import Mapping
from typing import Any

from tests.containers import RUNC_V1, Bundle, Outcome, Wrapper, new_bundle, run
from tests.contract.vectors import Devices, Vector
from tests.rootfs import fresh_root
from tests.toolkit import Toolkit

LIST_NODES = ("/bin/sh", "-c", "ls -d /dev/nvidia* 2>/dev/null; true")


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a program did: the nodes that the container gets, or None and what was said."""

    devices: Devices
    said: str = ""


class Programs:
    """A toolkit under test on a simulated host."""

    def __init__(self, toolkit: Toolkit, environment: Mapping[str, str]) -> None:
        self._toolkit = toolkit
        self._runtime = environment.get("LINKSPAN_CONTRACT_RUNTIME", toolkit.place.runtime)
        self._hook = environment.get("LINKSPAN_CONTRACT_HOOK", toolkit.place.prestart)

    def name(self, vector: Vector) -> str:
        """The program that a vector is for."""
        return os.path.basename(self._runtime if vector.program == "runtime" else self._hook)

    def are_ours(self, vector: Vector) -> bool:
        """Whether that program is linkspan's."""
        ours = self._toolkit.place.runtime if vector.program == "runtime" else self._toolkit.place.prestart
        return (self._runtime if vector.program == "runtime" else self._hook) == ours

    def ask(self, vector: Vector) -> Answer:
        """Put a request to the program that it is for."""
        return self._create(vector) if vector.program == "runtime" else self._prestart(vector)

    def _create(self, vector: Vector) -> Answer:
        """``create`` over a low-level runtime that does nothing: the answer is in config.json."""
        with new_bundle("/nowhere") as bundle:
            asking(bundle, vector)
            wrapper = self._wrapper(vector)
            outcome = self._toolkit.patch(bundle.write(), Wrapper(self._runtime, wrapper.env))
            with open(bundle.path, encoding="utf-8") as file:
                return answer(outcome, nodes(json.load(file)))

    def _prestart(self, vector: Vector) -> Answer:
        """A container that is given its GPUs once it has been created: the answer is in its /dev."""
        with fresh_root() as root, new_bundle(root, *LIST_NODES) as bundle:
            asking(bundle, vector)
            env = [f"{key}={value}" for key, value in {"PATH": os.environ["PATH"], **self._wrapper(vector).env}.items()]
            entry = {"path": self._hook, "args": [self._hook, "prestart"], "env": env}
            bundle.config["hooks"] = {"prestart": [entry]}
            outcome = run(RUNC_V1, bundle)
        return answer(outcome, frozenset(outcome.output.split()))

    def _wrapper(self, vector: Vector) -> Wrapper:
        return self._toolkit.wrapper("/bin/true", mode=vector.mode, top=vector.config)


def asking(bundle: Bundle, vector: Vector) -> None:
    """Write a request into a config.json."""
    bundle.env(*vector.env)
    bundle.config["annotations"] = dict(vector.annotations)
    bundle.config["mounts"] += [{"source": source, "destination": place} for source, place in vector.mounts]


def answer(outcome: Outcome, devices: frozenset[str]) -> Answer:
    """What came of it."""
    return Answer(None if outcome.created else devices, outcome.errors.strip())


def nodes(config: dict[str, Any]) -> frozenset[str]:
    """The device nodes of the driver in a config.json."""
    listed = config["linux"].get("devices") or ()
    return frozenset(entry["path"] for entry in listed if entry["path"].startswith("/dev/nvidia"))
