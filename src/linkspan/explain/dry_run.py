"""What would happen: a request that nobody has made yet, followed as the runtime follows it, on facts of a host."""

import msgspec

from linkspan.check import cuda, cuda_fit
from linkspan.check.cuda_fit import Fit
from linkspan.check.model import Evidence, Remedy
from linkspan.errors import LinkspanError
from linkspan.explain import fit as fitting
from linkspan.explain import flags
from linkspan.explain.chain import Box, Chain, State
from linkspan.explain.fit import Part
from linkspan.explain.image_config import Image
from linkspan.facts.model import HostFacts, Model
from linkspan.plan.injection import inject
from linkspan.plan.model import ContainerView, DeviceRequest, Injection, Policy
from linkspan.plan.request import read_request
from linkspan.plan.wording import listed, plural


class Wanted(Model, frozen=True, kw_only=True):
    """A command line: the value of --gpus, further variables, CDI names, and whether it is --privileged."""

    gpus: str = ""
    env: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    privileged: bool = False


class DryRun(Model, frozen=True, kw_only=True):
    """What a command line would come to; ``refusal`` and ``hint`` where it would be refused."""

    image: str
    env: tuple[str, ...]
    request: DeviceRequest = DeviceRequest()
    injection: Injection = Injection()
    refusal: str = ""
    hint: str = ""
    runtime: Part | None = None
    fit: Fit | None = None


def dry_run(image: Image, wanted: Wanted, facts: HostFacts, policy: Policy) -> DryRun:
    """Follow a request; nothing is started, and nothing raised: a refusal is the answer."""
    facts = _with_cuda(facts)
    env = image.env
    try:
        more = flags.env_of_gpus(wanted.gpus) if wanted.gpus else []
        env = flags.merged(image.env, [*more, *wanted.env])
        annotations = {"cdi.k8s.io/linkspan": ",".join(_by_index(wanted.devices))} if wanted.devices else {}
        view = ContainerView(env=env, annotations=annotations, privileged=wanted.privileged)
        request = read_request(view, policy)
        injection = Injection() if request.empty else inject(facts, request, policy)
    except LinkspanError as error:
        return DryRun(image=image.name, env=env, refusal=error.message, hint=error.hint)
    found = DryRun(image=image.name, env=env, request=request, injection=injection)
    runtimes = fitting.runtimes(image.root, _table(env)) if image.root else _told(env)
    if not runtimes or not injection.devices:
        return found
    way = cuda_fit.fit(runtimes[0].version, facts.driver.version)
    return msgspec.structs.replace(found, runtime=runtimes[0], fit=way)


def _with_cuda(facts: HostFacts) -> HostFacts:
    """The facts with the newest CUDA that the driver runs, by its branch, where NVML did not say."""
    if facts.driver.cuda_version or not facts.driver.version:
        return facts
    driver = msgspec.structs.replace(facts.driver, cuda_version=cuda.cuda_of(facts.driver.version))
    return msgspec.structs.replace(facts, driver=driver)


def _by_index(names: tuple[str, ...]) -> list[str]:
    """CDI names of the usual kind as those that mean the device itself, which needs no spec on disk."""
    return [name.replace("nvidia.com/gpu=", "runtime.nvidia.com/gpu=", 1) for name in names]


def _table(env: tuple[str, ...]) -> dict[str, str]:
    return {name: value for name, _, value in (entry.partition("=") for entry in env)}


def _told(env: tuple[str, ...]) -> list[Part]:
    version = _table(env).get("CUDA_VERSION", "")
    return [Part(name="CUDA_VERSION", version=version, path="")] if version else []


def chain(found: DryRun, facts: HostFacts) -> Chain:
    """The same as a chain: what each box would be."""
    nodes = [node.path for node in found.injection.devices]
    libcuda = next((one for one in found.injection.mounts if "/libcuda.so" in one.container_path), None)
    works = bool(nodes) and not found.refusal and not (found.fit and found.fit.way == "not")
    states: dict[str, State] = {"not": "broken", "unknown": "unknown"}
    top: State = "holds" if works else "not reached"
    boxes = [
        Box(key="application", title="application", side="container", state=top, owner="image"),
        *([_cuda(found, states)] if found.runtime and found.fit else []),
        _bridge(found),
        Box(
            key="libcuda", title="libcuda.so.1", side="host", state="holds" if libcuda else "not reached",
            path=libcuda.container_path if libcuda else "", owner=f"host, {libcuda.host_path}" if libcuda else "",
        ),
        Box(
            key="module", title="kernel module", side="host", state="holds" if facts.driver.version else "broken",
            version=facts.driver.version, owner="host",
        ),
        Box(
            key="gpu", title=plural(len(nodes), "device node"), side="host", state="holds" if nodes else "not reached",
            path=listed(nodes), owner="host",
        ),
    ]  # fmt: skip
    return Chain(subject=found.image, verdict=_sentence(found), works=works, boxes=tuple(boxes))


def _cuda(found: DryRun, states: dict[str, State]) -> Box:
    assert found.runtime and found.fit  # the caller has looked
    return Box(
        key="cuda",
        title="CUDA runtime",
        side="container",
        state=states.get(found.fit.way, "holds"),
        version=found.runtime.version,
        path=found.runtime.path,
        owner="image",
        detail=f"runs {found.fit.way}: {found.fit.why}",
    )


def _bridge(found: DryRun) -> Box:
    refused = found.refusal or found.request.refused
    asked = not found.request.empty
    return Box(
        key="bridge",
        title="linkspan",
        side="bridge",
        state="holds" if asked and not refused else "broken",
        owner=f"asked for by {found.request.source}" if asked else "asked for by nobody",
        detail=refused or (f"{plural(len(found.injection.mounts), 'mount')}" if asked else "nobody asks for a GPU"),
        remedy=Remedy(text=found.hint) if found.hint else None,
        evidence=tuple(
            Evidence(subject=found.image, field="variable", value=one) for one in found.env if one.startswith("NVIDIA_")
        ),
    )


def _sentence(found: DryRun) -> str:
    if found.refusal:
        return f"it would be refused: {found.refusal}"
    if found.request.empty:
        why = f": {found.request.refused}" if found.request.refused else ""
        return f"it would start without any GPU, since nobody asks for one{why}"
    count = sum(node.path.removeprefix("/dev/nvidia").isdecimal() for node in found.injection.devices)
    more = f"; CUDA {found.runtime.version} would run {found.fit.way}" if found.runtime and found.fit else ""
    files = plural(len(found.injection.mounts), "file")
    return f"it would start with {plural(count, 'GPU')} and {files} of the driver{more}"
