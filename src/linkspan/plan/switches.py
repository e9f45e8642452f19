"""The toolkit's names for what can be switched off: parts of its hooks, and feature flags (contract 5.1 and 5.9)."""

from collections.abc import Collection, Iterable

import msgspec

from linkspan.errors import RequestError
from linkspan.plan.model import Injection
from linkspan.plan.wording import listed, quoted

HOOKS: dict[str, dict[str, object]] = {
    "create-symlinks": {"links": ()},
    "enable-cuda-compat": {"driver_version": "", "cuda_version": "", "compat_root": ""},
    "update-ldcache": {"loadables": ()},
    "disable-device-node-modification": {"mask_params": False},
    "update-application-profile": {"application_profile": False},
    "chmod": {},
}
"""The toolkit's hooks, and what of our one hook's work each of them stands for; we have no use for ``chmod``."""

NO_SOCKETS = "disable-ipc-discoverer"
SINGLE_CSV_DEVICE = "disable-multiple-csv-devices"
EXPLICIT_LIBRARIES = "enable-explicit-driver-libraries"
NO_GIDS = "no-additional-gids-for-device-nodes"

FEATURES = (
    NO_SOCKETS,
    SINGLE_CSV_DEVICE,
    EXPLICIT_LIBRARIES,
    NO_GIDS,
    "disable-nvsandbox-utils",
    "disable-nvsandboxutils",
    "enable-coherent-annotations",
)
"""The feature flags there are. The last three change nothing: NVIDIA's sandbox library is never asked, and coherence is
not among the facts, so one spec serves every kind of GPU."""


def check_names(kind: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Raise RequestError on names that do not exist: the toolkit takes them silently, and with them every typo."""
    known = list(known)
    if unknown := [name for name in names if name not in known]:
        raise RequestError(
            f"there is no {kind} {listed(quoted(name) for name in unknown)}",
            hint=f"there are {', '.join(known)}",
            subject=unknown[0],
        )


def hooks_off(disabled: Collection[str], enabled: Collection[str] = ()) -> set[str]:
    """The hooks that are off: those named, or ``all``, less those that are enabled by name; others do not matter."""
    return set(HOOKS).intersection(HOOKS if "all" in disabled else disabled).difference(enabled)


def without(injection: Injection, hooks: Iterable[str], *, gids: bool = True) -> Injection:
    """The injection without the work of these hooks and, unless ``gids``, without additional groups."""
    changes: dict[str, object] = {} if gids else {"gids": ()}
    for hook in hooks:
        changes |= HOOKS[hook]
    return msgspec.structs.replace(injection, **changes) if changes else injection
