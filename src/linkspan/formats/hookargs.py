"""The work of ``kernel.prepare`` as arguments of our hook entry, written and read back in one place.

The GPUs of an application profile are not named: the hook looks at the nodes that the container got in the end, which
may come from several devices of a CDI spec.
"""

from linkspan.errors import FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

VERB = "create-container"
_COMPAT = {"--driver-version": "driver", "--cuda-version": "cuda", "--compat-root": "root"}
_SWITCHES = {"--application-profile": "profile", "--mask-params": "mask_params"}


def render(work: "dict[str, Any]", mask_params: bool = False) -> "list[str]":
    """The arguments after the verb that stand for this work; none where there is none."""
    arguments = [word for target, path in work.get("links", ()) for word in ("--link", f"{target}::{path}")]
    for path, bits in work.get("loadables", ()):
        arguments += ["--loadable" if bits == 64 else "--loadable32", path]
    versions = work.get("compat", {})
    for flag, name in _COMPAT.items():
        arguments += [flag, versions[name]] if versions.get(name) else []
    arguments += ["--application-profile"] if "profile" in work else []
    return arguments + (["--mask-params"] if mask_params else [])


def parse(arguments: "Sequence[str]", arch: str) -> "dict[str, Any]":
    """The work that hook arguments (those after the verb) stand for; FormatError on an argument that we do not write.

    ``profile`` and ``mask_params`` are True where asked for: which GPUs a profile names is only seen in the container.
    """
    work: dict[str, Any] = {"arch": arch, "links": [], "loadables": []}
    words = iter(arguments)
    for flag in words:
        if flag in _SWITCHES:
            work[_SWITCHES[flag]] = True
            continue
        value = next(words, None)
        if value is None:
            raise FormatError(f"the hook argument {flag} has no value")
        _add(work, flag, value)
    return work


def _add(work: "dict[str, Any]", flag: str, value: str) -> None:
    if flag == "--link":
        target, separator, path = value.partition("::")
        if not (target and separator and path) or "::" in path:
            raise FormatError(f"the hook argument --link {value} is not TARGET::LINK")
        work["links"].append([target, path])
    elif flag in ("--loadable", "--loadable32"):
        work["loadables"].append([value, 32 if flag.endswith("32") else 64])
    elif flag in _COMPAT:
        work.setdefault("compat", {"driver": "", "cuda": "", "root": ""})[_COMPAT[flag]] = value
    else:
        raise FormatError(f"the hook does not know the argument {flag}")
