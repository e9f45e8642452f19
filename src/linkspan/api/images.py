"""The image checker as a library, for registries, builders and admission checks. ``import linkspan`` has these names.

    image = linkspan.open_image("registry:registry.example/team/app:1.2")
    found = linkspan.check_image(image, linkspan.image_target("535", ["T4"]))
    linkspan.admit(found.findings).reason                 # one sentence

Opening an image is all that looks at anything; nothing of it is ever run. The rest are functions of their arguments.
"""

import datetime
import os
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from linkspan.check.model import Severity
from linkspan.errors import RequestError
from linkspan.facts.model import HostFacts
from linkspan.image import admission, elsewhere, judged, policy, target
from linkspan.image.access import Access
from linkspan.image.admission import Admission
from linkspan.image.credentials import Credentials
from linkspan.image.judged import Judged
from linkspan.image.layer_cache import LayerCache
from linkspan.image.model import Image
from linkspan.image.policy import Policy as ImagePolicy
from linkspan.image.registry import Finding
from linkspan.image.registry import Target as ImageTarget

__all__ = [
    "Admission",
    "Finding",
    "Image",
    "ImagePolicy",
    "ImageTarget",
    "Judged",
    "admit",
    "as_document",
    "check_image",
    "image_policy",
    "image_target",
    "open_image",
]


def open_image(
    source: str,
    *,
    credentials: Mapping[str, tuple[str, str]] | None = None,
    insecure: Iterable[str] = (),
    mirrors: Mapping[str, str] | None = None,
    platform: str = "",
    cache: str = "",
    env: Mapping[str, str] | None = None,
) -> Image:
    """Read an image by any name that ``linkspan image check`` takes, but no Dockerfile: a path, ``registry:NAME``.

    ``credentials`` are name and password by registry, and come before those of ``docker login`` and ``podman login``.
    ``insecure`` are registries whose certificate is not looked at, ``http://HOST`` without one; ``mirrors`` hosts that
    are asked in place of a registry. ``platform`` is ``linux/arm64``, by default this machine's. ``cache`` is a folder
    where what was read of layers is kept. ``env`` is the environment in which engines and credentials are looked for,
    by default this process's; an empty one has none. Raises RequestError for what names no image, HostError where it
    cannot be had, FormatError where it is broken or hostile.
    """
    system, _, machine = platform.partition("/")
    if platform and not (system and machine):
        hint = "write an operating system and a machine, linux/arm64"
        raise RequestError(f"{platform} is no platform", hint=hint, subject=platform)
    how = Access(
        env=os.environ if env is None else env,
        cache=LayerCache(cache) if cache else None,
        insecure=frozenset(insecure),
        mirrors=mirrors or {},
        platform=platform,
        credentials={host: Credentials(*one) for host, one in (credentials or {}).items()},
    )
    return elsewhere.open_any(source, how)


def image_target(driver: str = "", gpus: Iterable[str] = (), *, facts: HostFacts | None = None) -> ImageTarget:
    """Where an image is to run: a driver, ``535``, and GPUs, ``T4`` or ``7.5``; or a host, by its facts.

    Raises RequestError for what is no driver's version, for a GPU that is not known, and where both are given.
    """
    names = (gpus,) if isinstance(gpus, str) else tuple(gpus)
    if facts is None:
        return target.of_names(driver, names)
    if driver or names:
        raise RequestError("facts stand for a whole host", hint="leave out the driver and the GPUs")
    return target.of_host(facts)


def image_policy(text: str | bytes, name: str = "policy") -> ImagePolicy:
    """A policy from its TOML; ``name`` is how errors call it. Raises ConfigError with its line where it is none."""
    return policy.parse(text.encode() if isinstance(text, str) else text, name)


def check_image(
    image: Image,
    where: ImageTarget | None = None,
    rules: ImagePolicy | None = None,
    *,
    today: datetime.date | None = None,
) -> Judged:
    """What all rules say of an image, for where it is to run, after a policy; by default that of today in UTC."""
    return judged.judge(image, where, rules, today=today or policy.today())


def admit(
    findings: Iterable[Finding],
    fail_on: Severity = "error",
    rules: ImagePolicy | None = None,
    *,
    today: datetime.date | None = None,
    unread: Iterable[str] = (),
) -> Admission:
    """Whether an image with these findings may run, and why, in one sentence.

    ``unread`` is what was left out as it was read, ``Judged.refused``; with any of that it may not, since no finding
    speaks of it. Leave it away to admit such images by what was found in the rest.

    It may not where a finding is at or above ``fail_on`` and the policy does not switch it off on that day. To judge
    kept findings anew each day, check the image without a policy, and give the policy here. Raises RequestError for
    what is no severity.
    """
    if fail_on not in judged.SEVERITIES:
        hint = f"say one of {', '.join(judged.SEVERITIES)}"
        raise RequestError(f"{fail_on} is no severity", hint=hint, subject=fail_on)
    return admission.admit(findings, fail_on=fail_on, policy=rules, today=today or policy.today(), unread=tuple(unread))


def as_document(value: Judged | Admission | Finding) -> dict[str, Any]:
    """A check, a decision or a finding as dictionaries and lists, as they are in JSON."""
    document: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(value))
    return document
