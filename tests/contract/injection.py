"""What a request brings beside nodes: device rules, mounts, libraries and programs by capability, variables, hooks.

Asked of the runtime it stands in config.json; with the prestart hook it is looked at from within the container.
"""

import functools
import os
import re
from typing import Any

from tests.containers import Bundle
from tests.contract import requests
from tests.contract.case import Answer, Case
from tests.contract.injection_vectors import FILES, NODES, VECTORS, Vector
from tests.contract.programs import Programs

Config = dict[str, Any]

# Every path that a mount of the container has, with its options, and the nodes.
_LOOK = ("/bin/sh", "-c", "awk '{ print $5, $6 }' /proc/self/mountinfo; ls -d /dev/nvidia*")


def _of_runtime(vector: Vector, programs: Programs) -> Answer:
    outcome, config = requests.patched(programs, vector.request, _with_hook)
    return Answer("refused" if outcome.created else _VIEWS[vector.view](config), outcome.errors.strip())


def _with_hook(bundle: Bundle) -> None:
    """As another toolkit, or the engine, has left it: with a hook that would give GPUs a second time."""
    entry = {"path": "/usr/bin/nvidia-container-runtime-hook", "args": ["nvidia-container-runtime-hook", "prestart"]}
    own = {"path": "/usr/bin/engine-hook", "args": ["engine-hook"]}
    bundle.config["hooks"] = {"prestart": [entry, own]}
    bundle.mount("/srv", "/data")


def _of_hook(vector: Vector, programs: Programs) -> Answer:
    outcome = requests.hooked(programs, vector.request, _LOOK)
    rows = [line.split() for line in outcome.output.splitlines()]
    nodes = [{"path": row[0]} for row in rows if row[0].startswith("/dev/nvidia")]
    mounts = [{"destination": row[0], "options": row[1].split(",")} for row in rows if len(row) > 1]
    config = {"linux": {"devices": nodes}, "mounts": mounts}
    return Answer("refused" if outcome.created else _VIEWS[vector.view](config), outcome.errors.strip())


def _parts(config: Config) -> str:
    """The files and nodes that stand for capabilities."""
    names = {os.path.basename(mount["destination"]).partition(".so.")[0] for mount in config["mounts"]}
    nodes = {os.path.basename(path) for path in requests.nodes(config)}
    return " ".join([*(name for name in FILES if name in names), *(name for name in NODES if name in nodes)])


def _options(config: Config) -> str:
    """What all mounts of libraries and programs have in common, of what confines them."""
    mounts = [
        one for one in config["mounts"] if re.search(r"/lib(cuda|nvidia)[^/]*\.so|/nvidia-smi$", one["destination"])
    ]
    common = set.intersection(*(set(mount["options"]) for mount in mounts)) if mounts else set()
    return " ".join(sorted(common & {"ro", "nosuid", "nodev"}))


def _rules(config: Config) -> str:
    """Rules that allow something beside the engine's own, which are those of Docker."""
    nodes = {(node["major"], node["minor"]): node["path"] for node in config["linux"]["devices"]}
    rules = [
        rule for rule in config["linux"]["resources"]["devices"] if (rule.get("major"), rule.get("minor")) in nodes
    ]
    named = sorted(f"{os.path.basename(nodes[rule['major'], rule['minor']])} {rule['access']}" for rule in rules)
    return ", ".join(named)


def _variables(config: Config) -> str:
    """The last value of the variable that names GPUs: what another toolkit in the container would go by."""
    values = [
        entry.partition("=")[2] for entry in config["process"]["env"] if entry.startswith("NVIDIA_VISIBLE_DEVICES=")
    ]
    return values[-1] if values else "none"


def _prestart(config: Config) -> str:
    """The prestart hooks that are left."""
    left = (config.get("hooks") or {}).get("prestart") or ()
    return " ".join(os.path.basename(hook["path"]) for hook in left) or "none"


def _twice(config: Config) -> str:
    """Destinations that have more than one mount."""
    places = [mount["destination"] for mount in config["mounts"]]
    return " ".join(sorted({place for place in places if places.count(place) > 1})) or "none"


def _data(config: Config) -> str:
    """What the engine mounts."""
    return next((mount["source"] for mount in config["mounts"] if mount["destination"] == "/data"), "gone")


def _order(config: Config) -> str:
    """Whether a mount comes after those of the folders above it."""
    depths = [mount["destination"].rstrip("/").count("/") for mount in config["mounts"]]
    return "from the root down" if depths == sorted(depths) else "mixed"


_VIEWS = {
    "parts": _parts,
    "options": _options,
    "rules": _rules,
    "variables": _variables,
    "prestart hooks": _prestart,
    "covered mounts": _twice,
    "order": _order,
    "the engine's mount": _data,
}

CASES = tuple(
    Case(
        vector.program,
        f"{vector.name} ({vector.view})",
        vector.wanted,
        functools.partial(_of_runtime if vector.program == "runtime" else _of_hook, vector),
        vector.better,
        vector.why,
    )
    for vector in VECTORS
)
