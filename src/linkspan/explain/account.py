"""A container's account: who asked, what was carried across, which library wins, what may be opened, what fits."""

import posixpath

import msgspec

from linkspan.check import cuda_fit
from linkspan.check.containers import Container
from linkspan.check.cuda_fit import Fit
from linkspan.check.scene import Scene
from linkspan.explain import access, asked, carried, fit, monitors, subject, winner
from linkspan.explain.access import Rules
from linkspan.explain.asked import Asked
from linkspan.explain.carried import Carried, Given
from linkspan.explain.fit import Part
from linkspan.explain.subject import Subject
from linkspan.explain.winner import Candidate
from linkspan.facts.model import Model
from linkspan.plan.policy import policy_of

LIBRARIES = ("libcuda.so.1", "libnvidia-ml.so.1")


class Opened(Model, frozen=True, kw_only=True):
    """A device node, and whether the rules let it be opened; None where that is not known."""

    path: str
    major: int
    minor: int
    allowed: bool | None


class Account(Model, frozen=True, kw_only=True):
    """All that is known of a running container.

    ``libraries`` has the candidates of each library that a CUDA program needs. ``driver`` is the version of the loaded
    kernel module. ``others`` are GPUs of the host that the container has no node of, but may open all the same.
    """

    title: str
    pid: int
    engine: str
    bundle: str
    application: str
    asked: Asked
    mounts: tuple[Carried, ...]
    by_whom: str
    by_what: str
    nodes: tuple[Opened, ...]
    others: tuple[Opened, ...]
    rules_source: str
    rules: tuple[str, ...]
    libraries: dict[str, tuple[Candidate, ...]]
    driver: str
    runtimes: tuple[Part, ...]
    frameworks: tuple[Part, ...]
    fit: Fit | None
    library_path: str = ""
    is_musl: bool = False

    def taken(self, name: str) -> Candidate | None:
        """The file that the loader takes for a library, or fails at."""
        return winner.taken(self.libraries.get(name, ()))


def account(scene: Scene, subject_: Subject) -> Account | None:
    """The account of a container that runs; None for one that does not."""
    container = subject.container(scene, subject_)
    if container is None:
        return None
    config = subject_.config
    found, given = carried.mounts(scene, container, config), carried.nodes(container, config)
    loader = winner.Loader(
        container.root, container.env.get("LD_LIBRARY_PATH", ""), container.mounts, scene.facts.arch or "x86_64"
    )
    libraries = {name: loader.candidates(name) for name in LIBRARIES}
    rules = access.rules(scene, container.pid, config, _monitor(scene, subject_))
    runtimes = fit.runtimes(container.root, container.env)
    whom, what = carried.by_whom(config, found, given)
    driver = scene.facts.driver.readings.get("proc", "") or scene.facts.driver.version
    return Account(
        title=subject_.title,
        pid=container.pid,
        engine=subject_.engine,
        bundle=subject_.bundle,
        application=" ".join(container.process.argv)[:200],
        asked=asked.asked(subject_, container.env, policy_of(scene.toolkit)),
        mounts=_on_this_host(scene, found),
        by_whom=whom,
        by_what=what,
        nodes=tuple(_opened(rules, one) for one in given),
        others=tuple(_others(scene, rules, given)),
        rules_source=rules.source,
        rules=rules.lines,
        libraries=libraries,
        driver=driver,
        runtimes=tuple(runtimes),
        frameworks=tuple(fit.frameworks(container.root)),
        fit=_fit(runtimes, driver, libraries),
        library_path=container.env.get("LD_LIBRARY_PATH", ""),
        is_musl=loader.is_musl,
    )


def _monitor(scene: Scene, subject_: Subject) -> int:
    return next((one.monitor for one in monitors.monitored(scene) if one.id == subject_.id), 0)


def _on_this_host(scene: Scene, found: tuple[Carried, ...]) -> tuple[Carried, ...]:
    """The paths as the host that is looked at has them."""
    base = scene.root.rstrip("/")
    if not base:
        return found
    return tuple(msgspec.structs.replace(one, host_path=one.host_path.removeprefix(base)) for one in found)


def _opened(rules: Rules, node: Given) -> Opened:
    allowed = rules.allows("c", node.major, node.minor)
    return Opened(path=node.path, major=node.major, minor=node.minor, allowed=allowed)


def _others(scene: Scene, rules: Rules, given: tuple[Given, ...]) -> list[Opened]:
    """GPUs of the host that no node was given of."""
    have = {(one.major, one.minor) for one in given}
    gpus = [scene.facts.device(gpu.path) for gpu in scene.facts.gpus if gpu.path]
    rest = [node for node in gpus if node and (node.major, node.minor) not in have]
    opened = [
        Opened(path=node.path, major=node.major, minor=node.minor, allowed=rules.allows("c", node.major, node.minor))
        for node in rest
    ]
    return [one for one in opened if one.allowed]


def _fit(runtimes: list[Part], driver: str, libraries: dict[str, tuple[Candidate, ...]]) -> Fit | None:
    if not runtimes:
        return None
    libcuda = winner.taken(libraries[LIBRARIES[0]])
    compat = libcuda.version if libcuda is not None and libcuda.kind == "compat" else ""
    return cuda_fit.fit(runtimes[0].version, driver, compat)


def gpu_nodes(found: Account) -> list[Opened]:
    """The nodes of GPUs themselves among those of a container."""
    return [one for one in found.nodes if posixpath.basename(one.path).removeprefix("nvidia").isdecimal()]


def is_running(scene: Scene, subject_: Subject) -> Container | None:
    """The running container that a subject is."""
    return subject.container(scene, subject_)
