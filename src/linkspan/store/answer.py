"""From a request view and a host to ready-made edits: the one way, whoever asks.

Every mode of the toolkit comes through here. Where the request names devices, the plan is made from the host's facts;
where it names entries of CDI specs, their edits are taken; ``legacy`` leaves the work to the prestart hook.
"""

import os
from collections.abc import Callable
from typing import Any

import msgspec

from linkspan.emit import oci
from linkspan.errors import FormatError, RequestError, StaleError
from linkspan.facts.model import HostFacts
from linkspan.facts.snapshot import Search
from linkspan.formats.oci import NVIDIA_HOOKS
from linkspan.formats.state import HOOK, WRAPPER
from linkspan.formats.toolkit_config import ToolkitConfig
from linkspan.plan.injection import inject
from linkspan.plan.model import ContainerView, DeviceRequest, Policy
from linkspan.plan.policy import policy_of
from linkspan.plan.proc import gpu_folders
from linkspan.plan.request import read_request
from linkspan.plan.requirements import check
from linkspan.plan.selection import select
from linkspan.store import specs, state
from linkspan.store.registry import load

FactsSource = Callable[[Search], HostFacts]


class Answer(msgspec.Struct, frozen=True):
    """Edits, and the stamps under which they hold; without stamps the state of the host does not matter."""

    edits: dict[str, Any]
    stamps: list[list[str]] = []


def answer(
    view: dict[str, Any], config: ToolkitConfig, search_path: str, facts: FactsSource, caller: str = WRAPPER
) -> Answer:
    """The edits for one container. Raises RequestError and HostError with the reason why there are none.

    The host is only looked at where the container asks for something: one that does not starts on any host.
    """
    policy = policy_of(config)
    if caller == HOOK:
        return _for_hook(view, policy, config, facts)
    if policy.mode == "legacy":
        return Answer(_legacy_hook(config, search_path))
    container = _container(view)
    request = read_request(container, policy)
    if request.cdi_devices:
        return _from_specs(request, policy, config, facts)
    if not request.empty:
        found = facts(search_of(config))
        # Read once more, now that the platform is known: on Tegra other rules hold than on the plain host assumed.
        request = read_request(container, policy, found.platform)
        if not request.empty:
            return _from_facts(request, found, policy)
    return Answer({"remove_hooks": list(NVIDIA_HOOKS)})


def _for_hook(view: dict[str, Any], policy: Policy, config: ToolkitConfig, facts: FactsSource) -> Answer:
    """The prestart hook's own meaning of a request: no annotations, and mode legacy's defaults (contract 3)."""
    hook_policy = msgspec.structs.replace(policy, mode="legacy")
    request = read_request(msgspec.structs.replace(_container(view), annotations={}), hook_policy)
    if request.empty:
        return Answer({})
    found = facts(search_of(config))
    if found.platform == "tegra":
        raise RequestError(
            f"{request.source} asks the prestart hook for GPUs, which cannot give those of a Tegra system",
            hint="start the container with --runtime=nvidia, not with --gpus",
        )
    answered = _from_facts(request, found, hook_policy)
    folders = None if view["privileged"] else gpu_folders(found, request)
    return Answer(answered.edits | ({} if folders is None else {"proc_gpus": list(folders)}), answered.stamps)


def search_of(config: ToolkitConfig) -> Search:
    """Where the configuration says that the host's driver is."""
    csv_folder = config.nvidia_container_runtime.modes.csv.mount_spec_path
    return Search(root=config.nvidia_container_cli.root or "/", csv_files=(f"{csv_folder}/*.csv",))


def _container(view: dict[str, Any]) -> ContainerView:
    try:
        return msgspec.convert(view, ContainerView)
    except msgspec.ValidationError as error:
        raise FormatError(f"config.json is not an OCI runtime specification: {error}") from None


def _from_facts(request: DeviceRequest, facts: HostFacts, policy: Policy) -> Answer:
    injection = inject(facts, request, policy)
    edits = oci.edits(injection, facts.arch)
    edits["says"] = f"{', '.join(request.devices)} by {request.source}"
    return Answer(edits, state.stamp_list(facts.stamps))


def _from_specs(request: DeviceRequest, policy: Policy, config: ToolkitConfig, facts: FactsSource) -> Answer:
    registry = load(config.nvidia_container_runtime.modes.cdi.spec_dirs)
    own = _own_ids(request, policy.default_kind)

    def from_facts() -> Answer:
        """The devices themselves, which we know as well as a spec would; until a spec comes, or changes."""
        plain = msgspec.structs.replace(request, devices=own, cdi_devices=())
        found = _from_facts(plain, facts(search_of(config)), policy)
        return Answer(found.edits, found.stamps + state.stamp_list(registry.stamps))

    if own and not specs.knows_kind(registry, policy.default_kind):
        return from_facts()
    checked: list[list[str]] = []
    if own and request.requirements:
        found = facts(search_of(config))
        check(request.requirements, found, select(found, own).gpus)
        checked = state.stamp_list(found.stamps)
    try:
        resolution = registry.resolve(request.cdi_devices)
    except StaleError:
        if not own:
            raise
        return from_facts()
    edits = specs.edits(request, resolution, os.uname().machine)
    edits["says"] = f"{', '.join(request.cdi_devices)} by {request.source}"
    return Answer(edits, state.stamp_list(resolution.stamps) + checked)


def _own_ids(request: DeviceRequest, kind: str) -> tuple[str, ...]:
    """The ids of named devices that are all of this kind, ours; otherwise nothing."""
    ids = tuple(name.removeprefix(f"{kind}=") for name in request.cdi_devices)
    return ids if all(f"{kind}={item}" in request.cdi_devices for item in ids) else ()


def _legacy_hook(config: ToolkitConfig, search_path: str) -> dict[str, Any]:
    """The prestart hook, in every container, unless the engine put it there (contract 2.5)."""
    name = config.nvidia_container_runtime_hook.path
    path = name if name.startswith("/") else state.find_program(name, search_path) or f"/usr/bin/{name}"
    return {"ensure_hooks": {"prestart": [{"path": path, "args": [path.rpartition("/")[2], "prestart"]}]}}
