"""A compose file reserves GPUs in a way that reserves none, or is refused."""

from collections.abc import Iterator

from linkspan.check.compose import Device, Service, services
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene

_WHERE = "deploy.resources.reservations.devices"
_RIGHT = "[{driver: nvidia, count: all, capabilities: [gpu]}]"


def _look(scene: Scene) -> Iterator[Found]:
    for service in services(scene):
        wrong = _wrong(service)
        if wrong:
            cause, value = wrong
            yield Found(
                cause=f"service {service.name} {cause}",
                evidence=(Evidence(subject=service.file, field=f"services.{service.name}.{_WHERE}", value=value),),
                remedy=Remedy(
                    text=f"write {_WHERE} as {_RIGHT}, with device_ids in place of count for some of the GPUs, or "
                    "gpus: all in a compose since 2.30; then docker compose up -d"
                ),
                about=f"{service.file}, service {service.name}",
            )


def _wrong(service: Service) -> tuple[str, str] | None:
    if not service.is_list:
        keys = ", ".join(service.devices[0].keys) if service.devices else "no list"
        return f"has no list in {_WHERE}", keys
    split = _split(service.devices)
    if split:
        return f"has the keys of one device in {len(service.devices)} items of a list, so no item is whole", split
    for one in service.devices:
        if one.driver not in ("", "nvidia"):
            continue
        if {"count", "device_ids"} <= set(one.keys):
            return "gives both count and device_ids, of which only one may be there", ", ".join(one.keys)
        if one.capabilities is None and one.driver == "nvidia":
            return "reserves a device without capabilities, which is none", ", ".join(one.keys)
    return None


def _split(devices: tuple[Device, ...]) -> str:
    """A list in which driver and capabilities became items of their own: a dash too many, or wrong indentation."""
    partly = [one for one in devices if one.driver == "nvidia" and one.capabilities is None]
    alone = [one for one in devices if one.keys == ("capabilities",)]
    return "; ".join(", ".join(one.keys) for one in devices) if partly and alone else ""


RULE = Rule(id="D-COMPOSE-1", link="request", severity="error", look=_look)
