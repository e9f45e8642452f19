"""The arguments of our hook entry, read back into the work of ``kernel.prepare`` (written by ``emit.operations``)."""

from linkspan.errors import FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

VERB = "create-container"
_COMPAT = {"--driver-version": "driver", "--cuda-version": "cuda", "--compat-root": "root"}
_SWITCHES = {"--application-profile": "profile", "--mask-params": "mask_params"}


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
