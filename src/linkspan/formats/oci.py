"""The little of OCI that a container start needs: runc's command line, and what of config.json is a request.

What decides a request is a handful of strings, so they are taken out unread (``request_view``) and serve as the key
under which the answer is kept. Reading them is the work of ``plan.request``, which happens once per distinct view.
"""

from linkspan.errors import FormatError
from linkspan.formats import pathnames

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

VOLUME_MOUNT_ROOT = "/var/run/nvidia-container-devices"
"""Mounts of /dev/null below this folder are requests, where the configuration allows it (contract 2.3)."""

PARAMS = "/proc/driver/nvidia/params"
"""What the driver tells every container alike, so that it is masked (contract 6.5); a simulated host has none."""

NVIDIA_HOOKS = ("nvidia-container-runtime-hook", "nvidia-container-toolkit")
"""The base names of the toolkit's own hook: in every mode but legacy it would inject a second time (contract 2.5)."""


def is_create(argv: "Sequence[str]") -> bool:
    """True where runc's arguments (without the program) hold the verb ``create``, not as a bundle flag's value."""
    return "create" in (word for index, word in enumerate(argv) if not (index and _is_bundle_flag(argv[index - 1])))


def bundle_of(argv: "Sequence[str]") -> str:
    """The bundle folder that runc's arguments name: the last one wins, ``.`` where there is none."""
    bundle = "."
    for index, word in enumerate(argv):
        if _is_bundle_flag(word):
            if index + 1 == len(argv):
                raise FormatError(f"the option {word} has no value")
            bundle = argv[index + 1]
        elif word.startswith("-") and "=" in word and _is_bundle_flag(word.partition("=")[0]):
            bundle = word.partition("=")[2]
    return bundle


def log_of(argv: "Sequence[str]") -> "tuple[str, str]":
    """The file and format of runc's ``--log`` and ``--log-format``: where engines look for the reason of a failure."""
    found = {"log": "", "log-format": "text"}
    for index, word in enumerate(argv):
        name, given, value = word.lstrip("-").partition("=")
        if word.startswith("-") and name in found:
            found[name] = value if given else argv[index + 1] if index + 1 < len(argv) else ""
    return found["log"], found["log-format"]


def _is_bundle_flag(word: str) -> bool:
    return word.startswith("-") and word.lstrip("-") in ("b", "bundle")


def request_view(spec: "dict[str, Any]", env_names: "Iterable[str]", prefixes: "Sequence[str]") -> "dict[str, Any]":
    """The part of config.json that can be a request, as a plain document.

    ``env_names`` are the variables to look at beside ``NVIDIA_*`` and ``CUDA_VERSION``; ``prefixes`` start the
    annotations that name devices. The document decodes as ``plan.model.ContainerView``. FormatError where the fields
    are not of the types that the OCI specification gives them.
    """
    try:
        process = spec.get("process") or {}
        bounding = (process.get("capabilities") or {}).get("bounding") or ()
        return {
            "env": _relevant_env(process.get("env") or (), frozenset(env_names)),
            "annotations": _relevant_annotations(spec.get("annotations") or {}, tuple(prefixes)),
            "mounts": _device_mounts(spec.get("mounts") or ()),
            "privileged": "CAP_SYS_ADMIN" in bounding,
        }
    except (AttributeError, KeyError, TypeError) as error:
        raise FormatError(f"config.json is not an OCI runtime specification: {error}") from None


def _relevant_env(env: "Iterable[str]", names: "frozenset[str]") -> "list[str]":
    # An entry without "=" is kept too: it is malformed, and refused where the others are read.
    relevant = [
        entry
        for entry in env
        if entry.startswith(("NVIDIA_", "CUDA_VERSION=")) or "=" not in entry or entry.partition("=")[0] in names
    ]
    # Podman writes them in another order each time, which is no other request. Of two values the last stays the last.
    return sorted(relevant, key=_name)


def _name(entry: str) -> str:
    return entry.partition("=")[0]


def _relevant_annotations(annotations: "dict[str, str]", prefixes: "tuple[str, ...]") -> "dict[str, str]":
    return {key: annotations[key] for key in sorted(annotations) if key.startswith(prefixes)}


def _device_mounts(mounts: "Iterable[dict[str, Any]]") -> "list[list[str]]":
    return [
        [mount.get("source") or "", mount["destination"]]
        for mount in mounts
        if pathnames.normal(mount["destination"]).startswith(VOLUME_MOUNT_ROOT + "/")
    ]
