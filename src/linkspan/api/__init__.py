"""The library, for those who write engines and schedulers. ``import linkspan`` has all of these names.

    facts = linkspan.look()                               # what this host has
    request = linkspan.request("0,2", capabilities=["compute", "utility"])
    config = linkspan.inject(config, request, facts)      # an OCI config.json with those GPUs
    linkspan.devices(facts)                               # what can be asked for, for a scheduler

Nothing here changes the machine, and nothing but ``look`` looks at it: facts that were saved on one host give the same
answers on any other. Whatever cannot be granted is a ``LinkspanError`` with the reason in one sentence.
"""

import copy
from collections.abc import Iterable, Sequence
from typing import Any

from linkspan.emit import cdi as cdi_documents
from linkspan.emit import oci as oci_edits
from linkspan.errors import RequestError
from linkspan.facts import snapshot
from linkspan.facts.host import Search
from linkspan.facts.model import HostFacts
from linkspan.formats import cdi, oci
from linkspan.plan import policy, selection
from linkspan.plan.cdi import CdiOptions, plan_cdi
from linkspan.plan.injection import inject as _plan
from linkspan.plan.model import ContainerView, DeviceRequest, Injection, Policy
from linkspan.plan.request import read_request as _read
from linkspan.runtime import patch
from linkspan.store import state
from linkspan.store.launchers import Place

__all__ = [
    "DeviceRequest",
    "HostFacts",
    "Injection",
    "Policy",
    "cdi_spec",
    "devices",
    "inject",
    "injection",
    "load_facts",
    "look",
    "read_policy",
    "read_request",
    "request",
]

Document = dict[str, Any]


def look(driver_root: str = "/") -> HostFacts:
    """What the host below a driver root has: driver, GPUs, libraries, device nodes.

    Takes from some ten to some hundred milliseconds, since NVML is asked. Raises HostError where the root is no folder;
    a host without driver is no error here, but in ``inject``.
    """
    return snapshot.collect(Search(root=driver_root))


def load_facts(path: str) -> HostFacts:
    """Facts that ``linkspan facts --save`` wrote, on this host or another. Raises FormatError where they are none."""
    return snapshot.load(path)


def read_policy(path: str = "/etc/nvidia-container-runtime/config.toml") -> Policy:
    """What an installation's config.toml lets containers ask for; the defaults where there is no such file.

    Raises ConfigError with file and line where it cannot be followed.
    """
    return policy.policy_of(state.read_config(path)[0])


def request(
    ids: str | Iterable[str], *, capabilities: Sequence[str] | None = None, source: str = "the caller"
) -> DeviceRequest:
    """A request for GPUs and MIG devices, in any spelling that NVIDIA_VISIBLE_DEVICES knows.

    ``capabilities`` None leaves open what is needed, and then all of the driver is carried across. ``source`` is how
    errors name who asked. Raises RequestError on a name that cannot be one.
    """
    text = ids if isinstance(ids, str) else ",".join(ids)
    env = [f"NVIDIA_VISIBLE_DEVICES={text}"]
    if capabilities is not None:
        env.append(f"NVIDIA_DRIVER_CAPABILITIES={','.join(capabilities) or 'utility'}")
    found = _read(ContainerView(env=tuple(env)), Policy())
    if found.cdi_devices:
        raise RequestError(
            f"{found.cdi_devices[0]} is a CDI device name, which only a spec on disk can tell the meaning of",
            hint="give the engine that name, or ask for a plain id such as 0",
            subject=found.cdi_devices[0],
        )
    return DeviceRequest(devices=found.devices, capabilities=found.capabilities, source=source)


def read_request(config: Document, rules: Policy | None = None) -> DeviceRequest:
    """What an OCI config.json asks for by itself: environment, annotations, mounts. It is empty where that is nothing.

    Raises RequestError where it asks for what cannot be read or is not allowed, FormatError where it is no config.json.
    """
    rules = rules or Policy()
    view = oci.request_view(config, rules.swarm_resources, rules.annotation_prefixes)
    mounts = tuple((source, destination) for source, destination in view["mounts"])
    container = ContainerView(
        env=tuple(view["env"]), annotations=view["annotations"], mounts=mounts, privileged=view["privileged"]
    )
    return _read(container, rules)


def injection(wanted: DeviceRequest, facts: HostFacts, rules: Policy | None = None) -> Injection:
    """What a request comes to on a host: devices, mounts, links, and what the container's loader has to find.

    Raises DeviceNotFound, RequirementError and other RequestErrors where it cannot be granted, HostError where the host
    lacks what it takes.
    """
    return _plan(facts, wanted, rules or Policy())


def inject(
    config: Document,
    wanted: DeviceRequest,
    facts: HostFacts,
    *,
    rules: Policy | None = None,
    hook: str = Place().hook,
) -> Document:
    """A copy of an OCI config.json that starts with what was asked for; the one given stays as it is.

    Links and loader cache are made by ``hook``, the linkspan-hook of the host that starts the container. Members that
    are not known here stay as they are. Raises what ``injection`` raises.
    """
    edits = oci_edits.edits(injection(wanted, facts, rules), facts.arch)
    changed = copy.deepcopy(config)
    patch.apply(changed, edits)
    if entry := edits.get("hook"):
        arguments = [*entry["args"], *edits["hook_arguments"]]
        patch.add_hook(changed, {**entry, "path": hook, "args": arguments})
    return changed


def devices(facts: HostFacts) -> list[Document]:
    """What can be asked for on a host: a GPU or MIG device each, with the ids that name it and what it is.

    A GPU in MIG mode stands for its MIG devices, as ``all`` does.
    """
    return [_device(choice) for choice in selection.select(facts, ["all"]).choices]


def _device(choice: selection.Choice) -> Document:
    gpu, mig = choice.gpu, choice.mig
    memory = mig.memory_mib if mig else gpu.memory_mib
    profile = {"mig_profile": mig.profile} if mig else {}
    return {
        "id": choice.index,
        "uuid": choice.uuid,
        "name": gpu.name,
        "pci_bus_id": gpu.pci_bus_id,
        "memory_mib": memory,
        **profile,
    }


def cdi_spec(
    facts: HostFacts, *, vendor: str = "nvidia.com", class_: str = "gpu", hook: str = Place().hook
) -> cdi.Document:
    """The CDI spec of a host, as a document. Raises HostError where there is nothing to describe."""
    options = CdiOptions(vendor=vendor, class_=class_)
    return cdi_documents.document(plan_cdi(facts, options), hook)
