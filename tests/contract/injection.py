"""What the runtime writes into config.json beside device nodes, and what may be opened in the end (contract 2, 5)."""

import os
from collections.abc import Callable
from typing import Any

from tests.containers import Bundle, new_bundle
from tests.contract.case import REFUSED, Answer, Case, Program
from tests.contract.programs import Programs
from tests.privileged import inside

PROBES = ("libcuda", "libnvidia-ml", "libnvcuvid", "libGLX_nvidia", "nvidia-smi")
"""A file of each capability."""
ALL_PROBES = " ".join(PROBES)
OWN = "only what the capability takes is carried across"

_GPU = "NVIDIA_VISIBLE_DEVICES=0"


def _written(
    name: str,
    env: tuple[str, ...],
    expected: str,
    read: Callable[[dict[str, Any]], str],
    *,
    better: str | None = None,
    why: str = "",
    shape: Callable[[Bundle], Any] = lambda bundle: bundle,
) -> Case:
    """A request, and what is read off the config.json that comes of it."""

    def act(programs: Programs) -> Answer:
        with new_bundle("/nowhere") as bundle:
            shape(bundle.env(*env))
            outcome, config = programs.create(bundle)
        return Answer(REFUSED if outcome.created else read(config), outcome.errors.strip())

    return Case("runtime", name, expected, act, better, why)


def _files(config: dict[str, Any]) -> str:
    mounted = [os.path.basename(entry["destination"]).partition(".so")[0] for entry in config["mounts"]]
    return " ".join(probe for probe in PROBES if probe in mounted)


def _capability(names: str, ours: str) -> Case:
    env = (_GPU, f"NVIDIA_DRIVER_CAPABILITIES={names}")
    better = None if ours == ALL_PROBES else ours
    return _written(f"files for the capability {names}", env, ALL_PROBES, _files, better=better, why=OWN)


def _variables(config: dict[str, Any]) -> str:
    values = dict(entry.partition("=")[::2] for entry in config["process"]["env"])
    return values.get("NVIDIA_VISIBLE_DEVICES", "unset")


def _rules(config: dict[str, Any]) -> str:
    nodes = {(entry["major"], entry["minor"]) for entry in config["linux"]["devices"]}
    allowed = {
        (rule.get("major"), rule.get("minor"))
        for rule in config["linux"]["resources"]["devices"]
        if rule["allow"] and "r" in rule["access"] and "w" in rule["access"]
    }
    return "each node has a rule" if nodes <= allowed else f"no rule for {sorted(nodes - allowed)}"


def _options(config: dict[str, Any]) -> str:
    libraries = [entry for entry in config["mounts"] if os.path.basename(entry["destination"]).startswith("libcuda.so")]
    return " ".join(sorted({"ro", "nosuid", "nodev"} & set(libraries[0]["options"]))) if libraries else "no libcuda"


def _hooks(config: dict[str, Any]) -> str:
    listed = [entry["path"] for stage in (config.get("hooks") or {}).values() for entry in stage]
    return " ".join(sorted(os.path.basename(path) for path in listed if "container-runtime-hook" in path)) or "none"


def _own_mount(config: dict[str, Any]) -> str:
    return next((entry["source"] for entry in config["mounts"] if entry["destination"] == "/data"), "gone")


def _with_hook(bundle: Bundle) -> None:
    entry = {"path": "/usr/bin/nvidia-container-runtime-hook", "args": ["nvidia-container-runtime-hook", "prestart"]}
    bundle.config["hooks"] = {"prestart": [entry]}


def _isolated(program: Program, request: str, minors: tuple[int, ...]) -> Case:
    """What a real container may open: of eight GPUs those that were asked for, whatever nodes it makes."""

    def act(programs: Programs) -> Answer:
        outcome = programs.start(program, (f"NVIDIA_VISIBLE_DEVICES={request}",), inside.open_nodes())
        return Answer(REFUSED if outcome.created else _answers(outcome.output), outcome.errors)

    expected = _answers("".join(f"{minor} {answer}\n" for minor, answer in inside.only_minors(minors).items()))
    return Case(program, f"what may be opened of {request}", expected, act)


def _answers(output: str) -> str:
    """Without a driver a permitted open ends in ENXIO, one that is not in EPERM."""
    answers = inside.answers(output).items()
    return "opened: " + (" ".join(minor for minor, answer in answers if answer != "EPERM") or "none")


_REQUESTS = (("0,2", (0, 2)), ("all", tuple(range(8))), ("none", ()))
_GIVERS: tuple[Program, ...] = ("runtime", "hook")

CASES = (
    _capability("all", ALL_PROBES),
    _capability("utility", "libnvidia-ml nvidia-smi"),
    _capability("compute", "libcuda"),
    _capability("compute,utility", "libcuda libnvidia-ml nvidia-smi"),
    _capability("video", "libcuda libnvcuvid"),
    _capability("graphics", "libGLX_nvidia"),
    _written("the request is used up", (_GPU,), "void", _variables),
    _written("without a request the environment stays", (), "unset", _variables),
    _written("rules of the device cgroup", (_GPU,), "each node has a rule", _rules),
    _written("how a library is mounted", (_GPU,), "nodev nosuid ro", _options),
    _written("an older toolkit's hook goes", (_GPU,), "none", _hooks, shape=_with_hook),
    _written(
        "what the engine mounts stays", (_GPU,), "/srv", _own_mount, shape=lambda bundle: bundle.mount("/srv", "/data")
    ),
    *(_isolated(program, *request) for program in _GIVERS for request in _REQUESTS),
)
