"""``NVIDIA_REQUIRE_*``: what an image says that it needs of driver and GPU, read and checked.

The grammar is that of nvidia-container-cli (contract 2.9)::

    value = all-of { " " all-of }                 any one of them will do
    all-of = term { "," term }                    all of them have to hold
    term = property operator number-or-brand      cuda>=12.4   driver<536   arch>=7.0   brand=tesla

Several variables all have to hold. Upper and lower case do not matter. Numbers are compared part by part, and parts
left out count as 0. What the host cannot tell (the CUDA version without a driver library, a brand) is taken to hold.
"""

import re
from collections.abc import Iterable, Mapping

from linkspan.errors import RequirementError
from linkspan.facts.model import Gpu, HostFacts
from linkspan.formats import versions
from linkspan.plan.model import Requirement
from linkspan.plan.wording import plural, quoted

PREFIX = "NVIDIA_REQUIRE_"
DISABLE = "NVIDIA_DISABLE_REQUIRE"
MOST = 32
"""nvidia-container-cli takes no more (contract 2.9)."""

_JETPACK = "NVIDIA_REQUIRE_JETPACK"
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_PROPERTIES = ("cuda", "driver", "arch", "brand")
_TERM = re.compile(r"([A-Za-z]+)(!=|<=|>=|=|<|>)(.+)", re.DOTALL)
_BRAND = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_CUDA_VERSION = re.compile(r"v?([0-9]{1,9})(?:\.([0-9]{1,9}))?(?:[.+-].*)?", re.DOTALL)

Term = tuple[str, str, str]


def read_requirements(env: Mapping[str, str], *, legacy_image: bool) -> tuple[Requirement, ...]:
    """The requirements of an environment, sorted by variable; none where ``NVIDIA_DISABLE_REQUIRE`` says so.

    A legacy image (contract 2.2) requires the CUDA version that it is made of. Raises RequirementError on a malformed
    value, naming the malformed part, and on more than 32 variables.
    """
    if env.get(DISABLE, "") in _TRUE:
        return ()
    found = [
        parse(name, text)
        for name, text in sorted(env.items())
        if name.startswith(PREFIX) and not name.startswith(_JETPACK) and text.strip()
    ]
    if legacy_image:
        found.append(_of_legacy_image(env["CUDA_VERSION"]))
    if len(found) > MOST:
        raise RequirementError(
            f"{len(found)} variables begin with {PREFIX}, more than the {MOST} that are allowed",
            hint="join some of them by commas, which mean 'and'",
        )
    return tuple(found)


def _of_legacy_image(version: str) -> Requirement:
    parts = _CUDA_VERSION.fullmatch(version)
    if not parts:
        raise RequirementError(
            f"CUDA_VERSION={quoted(version)} is not a version such as 11.4.2",
            hint=f"correct it, or set {DISABLE}=1",
            subject="CUDA_VERSION",
        )
    return parse("CUDA_VERSION", f"cuda>={parts[1]}.{parts[2] or 0}")


def parse(variable: str, text: str) -> Requirement:
    """One variable's value as terms; RequirementError names the part that is not one."""
    alternatives = tuple(tuple(_parse_term(variable, term) for term in part.split(",")) for part in text.split())
    return Requirement(variable=variable, text=text, alternatives=alternatives)


def _parse_term(variable: str, text: str) -> Term:
    parts = _TERM.fullmatch(text)
    if not parts:
        raise _malformed(variable, text, "a term is a property, an operator and a value, such as cuda>=12.4")
    name, operator, value = parts[1].lower(), parts[2], parts[3]
    if name not in _PROPERTIES:
        raise _malformed(variable, text, f"the properties are {', '.join(_PROPERTIES)}")
    if name == "brand" and not (operator in ("=", "!=") and _BRAND.fullmatch(value)):
        raise _malformed(variable, text, "a brand is one word, compared by = or !=")
    if name != "brand" and versions.parse(value) is None:
        raise _malformed(variable, text, f"{name} is compared with a number such as 12.4, by one of = != < <= > >=")
    return name, operator, value


def _malformed(variable: str, text: str, hint: str) -> RequirementError:
    return RequirementError(f"{variable} has a malformed part {quoted(text)}", hint=hint, subject=variable)


def check(requirements: Iterable[Requirement], facts: HostFacts, gpus: Iterable[Gpu]) -> None:
    """Raise RequirementError on the first requirement that the host, or one of these GPUs, does not meet.

    A MIG device is judged by its GPU. Without a GPU only the driver is judged.
    """
    subjects: list[Gpu | None] = list(gpus) or [None]
    for requirement in requirements:
        for gpu in subjects:
            found = _found(facts, gpu)
            if not any(all(_holds(term, found) for term in terms) for terms in requirement.alternatives):
                raise _unmet(requirement, found, gpu)


def _found(facts: HostFacts, gpu: Gpu | None) -> dict[str, str]:
    """The properties of host and GPU; an empty one is not known."""
    return {
        "cuda": facts.driver.cuda_version,
        "driver": facts.driver.version,
        "arch": gpu.compute_capability if gpu else "",
        "brand": gpu.brand if gpu else "",
    }


def _holds(term: Term, found: Mapping[str, str]) -> bool:
    name, operator, wanted = term
    actual = found[name]
    if name == "brand":
        return not actual or (_brand(actual) == _brand(wanted)) == (operator == "=")
    left, right = versions.parse(actual), versions.parse(wanted)
    if left is None or right is None:
        return True
    order = versions.compare(left, right)
    return {
        "=": order == 0, "!=": order != 0, "<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0,
    }[operator]  # fmt: skip


def _brand(text: str) -> str:
    """``GeForce RTX``, ``GeForceRTX`` and ``geforcertx`` are one brand."""
    return "".join(text.split()).casefold()


def _unmet(requirement: Requirement, found: Mapping[str, str], gpu: Gpu | None) -> RequirementError:
    first, *others = (",".join("".join(term) for term in terms) for terms in requirement.alternatives)
    named = {name for terms in requirement.alternatives for name, _, _ in terms}
    has = ", ".join(f"{name}={found[name]}" for name in _PROPERTIES if name in named and found[name])
    where = f"GPU {gpu.index}" if gpu and named & {"arch", "brand"} else "this host"
    more = f" or {plural(len(others), 'alternative')} to it" if others else ""
    return RequirementError(
        f"{requirement.variable} requires {first}{more}, but {where} has {has}",
        hint=_what_to_do(first, found),
        subject=requirement.variable,
    )


def _what_to_do(first: str, found: Mapping[str, str]) -> str:
    newer = first.startswith(("cuda>", "driver>"))
    cuda = f"CUDA {found['cuda']} or older" if found["cuda"] else "an older CUDA"
    do = (
        f"update the host's driver, or use an image for {cuda}"
        if newer
        else "use an image for this host's driver and GPUs"
    )
    return f"{do}; {DISABLE}=1 starts it all the same"
