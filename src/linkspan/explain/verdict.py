"""A container's account as the chain from application to GPU, and what it comes to in one sentence."""

from collections.abc import Iterator

import msgspec

from linkspan.check.model import Evidence, Remedy
from linkspan.explain.account import Account, gpu_nodes
from linkspan.explain.chain import Box, Chain, State
from linkspan.explain.winner import Candidate
from linkspan.facts.driver import same_version
from linkspan.plan.wording import listed, plural

_COMPUTE = ("compute", "all")


def chain(account: Account) -> Chain:
    """The boxes, application first; those above a broken one are not reached."""
    upwards = [_gpu(account), _driver(account), _libcuda(account), _bridge(account), *_image(account)]
    boxes: list[Box] = []
    broken = False
    for box in upwards:
        boxes.append(_not_reached(box) if broken else box)
        broken = broken or box.state == "broken"
    first = next((box for box in boxes if box.state == "broken"), None)
    return Chain(
        subject=account.title,
        verdict=_sentence(account, first),
        works=first is None and bool(gpu_nodes(account)),
        boxes=tuple(reversed(boxes)),
    )


def _not_reached(box: Box) -> Box:
    return box if box.state == "broken" else msgspec.structs.replace(box, state="not reached")


def _sentence(account: Account, first: Box | None) -> str:
    if first is not None:
        return f"{account.title} has no GPU that works: {first.detail}"
    gpus = plural(len(gpu_nodes(account)), "GPU")
    doubtful = f"; {account.fit.why}" if account.fit and account.fit.way not in ("natively", "unknown") else ""
    return f"{account.title} has {gpus}, asked for by {account.asked.how or 'nobody who left a trace'}{doubtful}"


def _gpu(account: Account) -> Box:
    nodes = gpu_nodes(account)
    denied = [one.path for one in account.nodes if one.allowed is False]
    state: State = "holds" if nodes and not denied else "broken"
    detail = ""
    if not nodes:
        detail = "no device node of a GPU stands in it"
    elif denied:
        detail = f"its cgroup does not let it open {listed(denied)}"
    elif account.others:
        state, detail = (
            "doubtful",
            f"it may also open {listed(one.path for one in account.others)}, which it was not given",
        )
    return Box(
        key="gpu",
        title=plural(len(nodes), "GPU"),
        side="host",
        state=state,
        path=listed(one.path for one in nodes),
        owner=f"host; rules by {account.rules_source}",
        detail=detail,
        remedy=_ask_for_gpus(account) if not nodes else _start_again() if denied else None,
        evidence=tuple(Evidence(subject=account.rules_source, value=line) for line in account.rules[:8]),
    )


def _ask_for_gpus(account: Account) -> Remedy:
    if account.asked.refusal:
        return Remedy(text=f"the request cannot be followed: {account.asked.refusal}")
    if account.asked.anything:
        return Remedy(text="find out why nothing was carried across", commands=("linkspan doctor",))
    ways = {"podman": "podman run --device nvidia.com/gpu=all …", "docker": "docker run --gpus all …"}
    command = ways.get(account.engine, "")
    return Remedy(text="ask for GPUs when it is started", commands=(command,) if command else ())


def _start_again() -> Remedy:
    return Remedy(
        text="start the container anew; if a reload of systemd's units took the devices away, the doctor says so",
        commands=("linkspan doctor",),
    )


def _driver(account: Account) -> Box:
    found = bool(account.driver)
    return Box(
        key="module",
        title="kernel module",
        side="host",
        state="holds" if found else "broken",
        version=account.driver,
        path="/proc/driver/nvidia/version",
        owner="host",
        detail="" if found else "no kernel module of NVIDIA's is loaded on the host",
        remedy=None if found else Remedy(text="look at the host first", commands=("linkspan doctor",)),
    )


def _libcuda(account: Account) -> Box:
    found = account.taken("libcuda.so.1")
    state, detail, remedy = _judged(account, found)
    return Box(
        key="libcuda",
        title="libcuda.so.1",
        side="host" if found is not None and found.owner == "host" else "container",
        state=state,
        version=found.version if found else "",
        path=found.path if found else "",
        owner=_owner(found),
        detail=detail,
        remedy=remedy,
        evidence=tuple(map(_come_by, account.libraries["libcuda.so.1"])),
    )


def _come_by(one: Candidate) -> Evidence:
    return Evidence(subject=one.path, field=one.outcome, value=one.why or one.by)


def _owner(found: Candidate | None) -> str:
    if found is None:
        return ""
    return f"host, mounted from {found.host_path}" if found.owner == "host" else "image"


Judgement = tuple[State, str, Remedy | None]


def _judged(account: Account, found: Candidate | None) -> Judgement:
    if found is None:
        return _none_found(account)
    if found.outcome == "fails":
        return "broken", f"its loader comes to {found.path} first, and fails: {found.why}", _take_out(found)
    if found.owner == "image":
        return _of_the_image(account, found)
    if found.version and account.driver and not same_version(found.version, account.driver):
        text = f"{found.path} is of driver {found.version}, and the loaded kernel module is {account.driver}"
        return "broken", text, Remedy(text="start the container anew, so that it gets the files of the driver of now")
    return "holds", found.by, None


def _none_found(account: Account) -> Judgement:
    wanted = account.asked.request.capabilities
    if wanted is not None and not set(wanted) & set(_COMPUTE):
        return "unknown", f"not carried across: only {listed(wanted)} was asked for", None
    return "broken", "its loader finds no libcuda.so.1", _carry_it(account)


def _of_the_image(account: Account, found: Candidate) -> Judgement:
    if found.kind == "stub":
        return "broken", f"{found.path} is a stub to link with, and comes first ({found.by})", _take_out(found)
    if found.kind == "compat":
        return "doubtful", f"{found.path} of the compatibility package comes first ({found.by})", None
    fits = bool(found.version and account.driver and same_version(found.version, account.driver))
    text = f"{found.path} is the image's own libcuda, and comes first ({found.by})"
    return ("doubtful" if fits else "broken"), text, _take_out(found)


def _carry_it(account: Account) -> Remedy:
    if account.is_musl:
        return Remedy(text="use an image with glibc: the driver's libraries are made for it")
    return Remedy(
        text="ask for the capability compute", commands=("docker run -e NVIDIA_DRIVER_CAPABILITIES=compute,utility …",)
    )


def _take_out(found: Candidate) -> Remedy:
    if found.by.startswith("LD_LIBRARY_PATH"):
        return Remedy(text=f"take that folder out of LD_LIBRARY_PATH: {found.by}")
    return Remedy(text=f"take {found.path} out of the image: it comes from the host when the container starts")


def _bridge(account: Account) -> Box:
    carried = bool(account.mounts or account.nodes)
    state: State = "holds" if carried else "broken"
    detail = f"{plural(len(account.mounts), 'mount')} and {plural(len(account.nodes), 'device node')}"
    if not carried:
        detail = account.asked.refusal or (
            "nothing was carried across" if account.asked.anything else "nobody asked for a GPU"
        )
    return Box(
        key="bridge",
        title=account.by_whom or "bridge",
        side="bridge",
        state=state,
        path=account.by_what,
        owner=f"asked for by {account.asked.how}" if account.asked.anything else "asked for by nobody",
        detail=detail,
        remedy=None if carried else _ask_for_gpus(account),
        evidence=account.asked.evidence,
    )


def _image(account: Account) -> Iterator[Box]:
    if account.runtimes:
        newest, fits = account.runtimes[0], account.fit
        states: dict[str, State] = {"natively": "holds", "not": "broken", "unknown": "unknown"}
        yield Box(
            key="cuda",
            title="CUDA runtime",
            side="container",
            state=states.get(fits.way, "holds") if fits else "unknown",
            version=newest.version,
            path=newest.path,
            owner="image",
            detail=f"runs {fits.way}: {fits.why}" if fits else "",
            remedy=Remedy(text="update the host's driver, or use an image of an older CUDA")
            if fits and fits.way == "not"
            else None,
        )
    for framework in account.frameworks[:1]:
        yield Box(
            key="framework", title=framework.name, side="container", state="holds", version=framework.version,
            path=framework.path, owner="image",
        )  # fmt: skip
    yield Box(
        key="application", title=account.application.partition(" ")[0] or "application", side="container",
        state="holds", detail=account.application, owner="image",
    )  # fmt: skip
