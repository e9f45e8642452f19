"""Which of several failures a host has: what a pasted error leaves open, the doctor's rules tell apart."""

from collections.abc import Iterable

from linkspan.check import registry, run


def seen(ids: Iterable[str], root: str) -> dict[str, tuple[str, ...]]:
    """The failures of these ids that the host below a root has, each with its causes; the host is only read."""
    wanted = set(ids)
    rules = [rule for rule in registry.all_rules() if rule.id in wanted]
    found: dict[str, list[str]] = {}
    for one in run.examine(root, rules).report.findings if rules else ():
        found.setdefault(one.id, []).append(one.cause)
    return {name: tuple(causes) for name, causes in found.items()}
