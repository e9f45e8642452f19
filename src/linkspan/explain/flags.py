"""docker's command line for GPUs, as the variables that its daemon makes of it."""

import csv
from collections.abc import Sequence

from linkspan.errors import RequestError
from linkspan.plan.wording import quoted

_KNOWN = ("count", "device", "capabilities", "driver", "options")


MOST = 256
"""A count above this is a mistake: no host has so many GPUs."""


def env_of_gpus(value: str) -> list[str]:
    """The variables for ``--gpus VALUE``.

    The value is a line of CSV (docker/cli, opts/gpus.go). Raises RequestError where docker would refuse it, in words
    that say more.
    """
    fields = _fields(value)
    ids, count = fields.get("device", ""), fields.get("count", "")
    if ids and count:
        hint = f"write --gpus '\"device={ids},{count}\"', with both kinds of quotes"
        raise RequestError(f"docker reads {quoted(value)} as a device and a count", hint=hint, subject="--gpus")
    capabilities = [name for name in fields.get("capabilities", "").split(",") if name and name != "gpu"]
    env = [f"NVIDIA_VISIBLE_DEVICES={ids or _by_count(count)}"]
    return env + ([f"NVIDIA_DRIVER_CAPABILITIES={','.join(capabilities)}"] if capabilities else [])


def _fields(value: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in next(csv.reader([value]), []):
        key, equals, rest = part.partition("=")
        if not equals:
            key, rest = "count", part
        if key not in _KNOWN:
            raise RequestError(f"--gpus knows no {quoted(key)}", hint=f"it knows {', '.join(_KNOWN)}", subject="--gpus")
        if key in found:
            raise RequestError(f"--gpus has {quoted(key)} twice", hint="quote a list, as in '\"device=0,1\"'")
        found[key] = rest
    if not found:
        raise RequestError("--gpus has no value", hint="write --gpus all", subject="--gpus")
    return found


def _by_count(count: str) -> str:
    """A number stands for the first so many GPUs (moby, daemon/devices_nvidia_linux.go)."""
    if count in ("", "all", "-1"):
        return "all"
    if not (count.isdecimal() and len(count) < 4 and 0 < int(count) <= MOST):
        hint = "write --gpus all, or a number"
        raise RequestError(f"{quoted(count)} is no number of GPUs", hint=hint, subject="--gpus")
    return ",".join(map(str, range(int(count))))


def merged(image: Sequence[str], more: Sequence[str]) -> tuple[str, ...]:
    """The variables of an image with others over them: of two of a name, the later one counts."""
    found = {entry.partition("=")[0]: entry for entry in (*image, *more)}
    return tuple(found.values())
