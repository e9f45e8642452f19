"""How a container's devices are injected: the configured mode, or what ``auto`` comes to (contract 2.4)."""

from typing import Literal

from linkspan.facts.model import Platform
from linkspan.formats import cdi
from linkspan.plan.model import ContainerView, Policy
from linkspan.plan.sources import asked_devices, read_env

Mode = Literal["legacy", "csv", "cdi", "jit-cdi"]


def resolve_mode(
    policy: Policy,
    view: ContainerView,
    platform: Platform,
    default: Literal["jit-cdi", "legacy"] = "jit-cdi",
) -> Mode:
    """The mode for one container; ``default`` is what ``auto`` means on a plain host: the toolkit's hook says legacy.

    Raises RequestError where the request cannot even be read.
    """
    if policy.mode != "auto":
        return policy.mode
    asked = asked_devices(view, read_env(view.env), policy, annotations=True).ids
    if asked and all(cdi.parse_name(name) for name in asked):
        return "cdi"
    return "csv" if platform == "tegra" else default
