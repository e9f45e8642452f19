"""The ways to start a container that the benchmark compares, each as what differs from the next one."""

import copy
import dataclasses
import os
from collections.abc import Callable, Mapping
from typing import Any

from tests import cdi_engine
from tests.containers import RUNC_V1, Bundle, Wrapper
from tests.toolkit import Toolkit

REQUEST = "NVIDIA_VISIBLE_DEVICES=0,2"
CUDA_IMAGE = "NVIDIA_DRIVER_CAPABILITIES=compute,utility"
"""What the images of nvidia/cuda say of themselves; without it every driver file is mounted."""
ASKED = ["0", "2"]

PLAIN = "plain runc"
BUDGET = 12 / 46
"""What a start through linkspan may take over plain runc, as a share of plain runc: 12 ms where that takes 46 ms."""
PRESTART_BUDGET = 14 / 46
"""The same where Docker's ``--gpus`` calls the prestart hook."""


def _nothing() -> None:
    pass


def _as_it_is(_: Bundle) -> None:
    pass


@dataclasses.dataclass(frozen=True)
class Way:
    """One way: what the engine writes into config.json, what it calls as runc, and what is done before, untimed."""

    name: str
    shape: Callable[[Bundle], None] = _as_it_is
    wrapper: Wrapper | None = None
    before: Callable[[], None] = _nothing
    budget: float | None = None


def ways(toolkit: Toolkit, spec: dict[str, Any], environment: Mapping[str, str]) -> list[Way]:
    """All ways to compare; ``spec`` is our CDI spec of the same host."""
    runc = toolkit.over(RUNC_V1)
    cold = Toolkit(f"{toolkit.folder}/cold", toolkit.driver_root)  # what it forgets, the other one still knows

    def request(bundle: Bundle) -> None:
        bundle.env(REQUEST)

    def cuda_image(bundle: Bundle) -> None:
        bundle.env(REQUEST, CUDA_IMAGE)

    def edited(bundle: Bundle) -> None:
        cdi_engine.inject(bundle.config, without_hooks(spec), ASKED)

    def native(bundle: Bundle) -> None:
        cdi_engine.inject(bundle.config, spec, ASKED)

    def prestart(program: str, *variables: str) -> Callable[[Bundle], None]:
        env = [f"{key}={value}" for key, value in {"PATH": os.defpath, **runc.env}.items()]
        entry = {"path": program, "args": [program, "prestart"], "env": env}

        def shape(bundle: Bundle) -> None:
            bundle.env(*variables)
            bundle.config["hooks"] = {"prestart": [entry]}

        return shape

    found = [
        Way(PLAIN),
        Way("same mounts and devices, no hook", edited),
        Way("linkspan-runtime, no GPU asked for", _as_it_is, runc),
        Way("linkspan-runtime", request, runc, budget=BUDGET),
        Way("linkspan-runtime, compute,utility", cuda_image, runc, budget=BUDGET),
        Way("linkspan-runtime, first start", request, cold.over(RUNC_V1), before=cold.forget),
        Way("native CDI, linkspan-hook", native, budget=BUDGET),
        Way("prestart hook", prestart(toolkit.place.prestart, REQUEST), budget=PRESTART_BUDGET),
        Way("prestart hook, no GPU asked for", prestart(toolkit.place.prestart)),
    ]
    if other := environment.get("LINKSPAN_BENCH_RUNTIME"):
        found.append(Way(other.rpartition("/")[2], request, Wrapper(other, runc.env)))
    if other := environment.get("LINKSPAN_BENCH_HOOK"):
        found.append(Way(other.rpartition("/")[2], prestart(other, REQUEST)))
    return found


def without_hooks(spec: dict[str, Any]) -> dict[str, Any]:
    """The spec's mounts, devices and variables alone."""
    bare = copy.deepcopy(spec)
    for edits in (bare.get("containerEdits", {}), *(device["containerEdits"] for device in bare["devices"])):
        edits.pop("hooks", None)
    return bare
