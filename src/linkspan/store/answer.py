"""From a request view and a host to ready-made edits: the one way, whoever asks.

Every mode of the toolkit comes through here. Where the request names devices, the plan is made from the host's facts;
where it names entries of CDI specs, their edits are taken; ``legacy`` leaves the work to the prestart hook.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from linkspan.emit import oci, operations
from linkspan.errors import FormatError
from linkspan.facts.model import HostFacts
from linkspan.facts.snapshot import Search
from linkspan.formats.oci import NVIDIA_HOOKS
from linkspan.formats.toolkit_config import ToolkitConfig
from linkspan.plan.injection import inject
from linkspan.plan.mode import resolve_mode
from linkspan.plan.model import ContainerView, DeviceRequest, Policy
from linkspan.plan.policy import policy_of
from linkspan.plan.request import read_request
from linkspan.store import specs, state

FactsSource = Callable[[Search], HostFacts]


class Answer(msgspec.Struct, frozen=True):
    """Edits, and the stamps under which they hold; without stamps the state of the host does not matter."""

    edits: dict[str, Any]
    stamps: list[list[str]] = []


def answer(view: dict[str, Any], config: ToolkitConfig, search_path: str, facts: FactsSource) -> Answer:
    """The edits for one container. Raises RequestError and HostError with the reason why there are none.

    The host is only looked at where the container asks for something: one that does not starts on any host.
    """
    policy = policy_of(config)
    container = _container(view)
    if policy.mode == "legacy":
        return Answer(_legacy_hook(config, search_path))
    if read_request(container, policy).empty:
        return Answer({"remove_hooks": list(NVIDIA_HOOKS)})
    found = facts(search_of(config))
    request = read_request(container, policy, found.platform)
    if request.empty:
        return Answer({"remove_hooks": list(NVIDIA_HOOKS)})
    if request.cdi_devices:
        return _from_specs(request, found, policy, config)
    return _from_facts(request, found, policy)


def search_of(config: ToolkitConfig) -> Search:
    """Where the configuration says that the host's driver is."""
    csv_folder = config.nvidia_container_runtime.modes.csv.mount_spec_path
    return Search(root=config.nvidia_container_cli.root or "/", csv_folder=csv_folder)


def _container(view: dict[str, Any]) -> ContainerView:
    try:
        return msgspec.convert(view, ContainerView)
    except msgspec.ValidationError as error:
        raise FormatError(f"config.json is not an OCI runtime specification: {error}") from None


def _from_facts(request: DeviceRequest, facts: HostFacts, policy: Policy) -> Answer:
    injection = inject(facts, request, policy)
    edits = oci.edits(injection, facts.arch)
    edits["hook"] = operations.hook("", [])
    edits["hook_arguments"] = operations.hook_arguments(injection)
    edits["says"] = f"{', '.join(request.devices)} by {request.source}"
    return Answer(edits, state.stamp_list(facts.stamps))


def _legacy_hook(config: ToolkitConfig, search_path: str) -> dict[str, Any]:
    """The prestart hook, in every container, unless the engine put it there (contract 2.5)."""
    name = config.nvidia_container_runtime_hook.path
    path = name if name.startswith("/") else state.find_program(name, search_path) or f"/usr/bin/{name}"
    return {"ensure_hooks": {"prestart": [{"path": path, "args": [path.rpartition("/")[2], "prestart"]}]}}
