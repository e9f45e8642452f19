"""The plan of a host: what was seen, put in order."""

from collections.abc import Callable

from linkspan.setup import apt, dnf, driver_steps, reasons, service_steps, zypper
from linkspan.setup.look import Look
from linkspan.setup.model import Plan, Step
from linkspan.setup.way import Need, NoWay, Way, need

_WAYS: dict[str, Callable[[Look, Need], Way]] = {
    "debian": apt.debian,
    "ubuntu": apt.ubuntu,
    "rhel": dnf.rhel,
    "fedora": dnf.fedora,
    "amazon": dnf.amazon,
    "suse": zypper.suse,
}


def make(look: Look) -> Plan:
    """The plan of the host that was looked at. Nothing is changed, and no program is run."""
    reason = reasons.against(look)
    way: Way | None = None
    if not reason:
        try:
            way = _way(look)
        except NoWay as found:
            reason = str(found)
    if reason and (way is None) and not _has_driver(look):
        return _plan(look, reason=reason)
    steps = _driver(look, way) + _rest(look, way)
    driver = way.sentence if way else f"driver {look.loaded_version} is loaded; none is installed by this plan"
    return _plan(
        look, driver=driver, notes=_notes(look, way, reason), steps=(*steps, service_steps.doctor(look, steps))
    )


def _has_driver(look: Look) -> bool:
    """A host that has a driver needs none from us: only where even the rest is not ours to do is there no plan."""
    return bool(look.loaded_version and not reasons.against(look))


def _way(look: Look) -> Way:
    family = look.distribution.family
    if family not in _WAYS:
        raise NoWay(
            f"{look.distribution.name} is none of the distributions whose packages linkspan knows: install its driver,"
            " and linkspan does the rest"
        )
    return _WAYS[family](look, need(look.generations))


def _plan(
    look: Look, *, reason: str = "", driver: str = "", notes: tuple[str, ...] = (), steps: tuple[Step, ...] = ()
) -> Plan:
    return Plan(
        system=look.distribution.name,
        kernel=look.kernel,
        gpus=tuple(product.name for product in look.products),
        driver=driver,
        reason=reason,
        notes=notes,
        steps=steps,
    )


def _driver(look: Look, way: Way | None) -> list[Step]:
    if way is None:
        return [driver_steps.module(look, way)]
    found = (
        driver_steps.repository(look, way),
        driver_steps.headers(look, way),
        driver_steps.nouveau(look),
        driver_steps.driver(look, way),
        driver_steps.secure_boot(look, way),
        driver_steps.module(look, way),
    )
    return [step for step in found if step is not None]


def _rest(look: Look, way: Way | None) -> list[Step]:
    found = (
        service_steps.fabric_manager(look, way),
        service_steps.persistence(look, way),
        service_steps.nodes(look, way),
        service_steps.engine(look),
        service_steps.bridge(look),
        service_steps.spec(look),
        service_steps.configure(look),
    )
    return [step for step in found if step is not None]


def _notes(look: Look, way: Way | None, reason: str) -> tuple[str, ...]:
    notes = [reason] if reason else []
    if way and look.secure_boot and way.signed_by:
        notes.append(
            f"Secure Boot is on, and the kernel modules come signed by {way.signed_by}: no key is to be enrolled"
        )
    if way and look.secure_boot and not way.signed_by and not way.key and not look.loaded_version:
        notes.append("Secure Boot is on, and these packages do not sign their modules: switch it off in the firmware")
    if way and look.has_nvlink5 and look.distribution.family == "ubuntu":
        notes.append(
            "the switches of this host want nvlsm, which is in NVIDIA's repository alone: add that to apt first"
        )
    return tuple(notes)
