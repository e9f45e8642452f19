"""Who asked for what: the flag, variable, annotation or mount that decided, read as the runtime itself reads it."""

from collections.abc import Iterator
from typing import Any

import msgspec

from linkspan.check.docker_state import Record
from linkspan.check.model import Evidence
from linkspan.errors import LinkspanError
from linkspan.explain.subject import Subject
from linkspan.facts.model import Model
from linkspan.formats import oci
from linkspan.plan.model import ContainerView, DeviceRequest, Policy
from linkspan.plan.request import read_request


class Asked(Model, frozen=True, kw_only=True):
    """A container's request.

    ``how`` says in words who asked, empty where nobody did. ``refusal`` is why the request cannot be followed.
    """

    how: str = ""
    request: DeviceRequest = DeviceRequest()
    refusal: str = ""
    evidence: tuple[Evidence, ...] = ()

    @property
    def anything(self) -> bool:
        """True where GPUs were asked for, in whatever way."""
        return bool(self.how)


def asked(subject: Subject, env: dict[str, str], policy: Policy) -> Asked:
    """What a container asked for; ``env`` are its variables, for one whose config.json is not known."""
    request, refusal = _request(subject, subject.record.env if subject.record else env, policy)
    flags = tuple(_flags(subject.record)) if subject.record else ()
    words = [one.value for one in flags]
    names = _cdi_names(subject.config)
    if not request.empty and request.source and not flags:
        words.append(f"{request.source}={','.join((*request.devices, *request.cdi_devices))}")
    if not words and names:
        words.append(f"the CDI names {', '.join(names)}")
    if not words and not refusal and (given := _given_nodes(subject.config)):
        words.append(_answered(subject.config, given))
    return Asked(
        how=" and ".join(words),
        request=request,
        refusal=refusal or request.refused,
        evidence=(*flags, *_evidence(subject, request, env)),
    )


def _request(subject: Subject, env: dict[str, str], policy: Policy) -> tuple[DeviceRequest, str]:
    try:
        if subject.config and subject.record is None:
            plain = oci.request_view(subject.config, policy.swarm_resources, policy.annotation_prefixes)
            view = msgspec.convert(plain, ContainerView)
        else:
            view = ContainerView(env=tuple(f"{name}={value}" for name, value in env.items()))
        return read_request(view, policy), ""
    except (LinkspanError, msgspec.ValidationError) as error:
        return DeviceRequest(), str(getattr(error, "message", error))


def _flags(record: Record) -> Iterator[Evidence]:
    """docker's flags, as HostConfig.DeviceRequests has them."""  # noqa: D403
    for one in record.requests:
        if one.driver == "cdi":
            yield Evidence(subject=record.asked, field="DeviceRequests", value=f"--device {' '.join(one.ids)}")
        else:
            wanted = "all" if one.count < 0 else f"device={','.join(one.ids)}" if one.ids else str(one.count)
            more = ",".join(name for name in one.capabilities if name != "gpu")
            value = f"--gpus {wanted}" + (f",capabilities={more}" if more else "")
            yield Evidence(subject=record.asked, field="DeviceRequests", value=value)
    if record.runtime and record.runtime not in ("runc", "io.containerd.runc.v2"):
        yield Evidence(subject=record.asked, field="Runtime", value=f"--runtime={record.runtime}")


def _cdi_names(config: dict[str, Any]) -> list[str]:
    annotations = config.get("annotations")
    found = annotations.items() if isinstance(annotations, dict) else ()
    return [str(value) for key, value in found if str(key).startswith("cdi.k8s.io/")]


def _answered(config: dict[str, Any], given: list[str]) -> str:
    """A request that has gone into what it came to: a CDI spec, as the runtime, leaves ``void`` in the variable."""
    if _variables(config).get("NVIDIA_VISIBLE_DEVICES") == "void":
        return f"a CDI name, or NVIDIA_VISIBLE_DEVICES, which is void since it was answered with {', '.join(given)}"
    return f"--device, of which config.json keeps what it came to ({', '.join(given)})"


def _given_nodes(config: dict[str, Any]) -> list[str]:
    linux = config.get("linux")
    nodes = linux.get("devices") if isinstance(linux, dict) else None
    paths = [str(node.get("path", "")) for node in nodes or () if isinstance(node, dict)]
    return [path for path in paths if path.startswith("/dev/nvidia") or path == "/dev/dxg"]


def _evidence(subject: Subject, request: DeviceRequest, env: dict[str, str]) -> Iterator[Evidence]:
    where = f"{subject.bundle}/config.json" if subject.config else f"/proc/{subject.pid}/environ"
    variables = _variables(subject.config) or env
    for name, value in variables.items():
        if name.startswith("NVIDIA_") or name == request.source:
            yield Evidence(subject=where, field=name, value=value)


def _variables(config: dict[str, Any]) -> dict[str, str]:
    process = config.get("process")
    entries = process.get("env") if isinstance(process, dict) else None
    pairs = (str(entry).partition("=") for entry in entries or ())
    return {name: value for name, _, value in pairs}
