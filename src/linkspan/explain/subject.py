"""Which container is meant: by name, id, process, pod, or a bundle's folder."""

import json
import os
from collections.abc import Iterator
from typing import Any

import msgspec

from linkspan.check import docker_state
from linkspan.check.containers import Container
from linkspan.check.docker_state import Record
from linkspan.check.eyes import Eyes
from linkspan.check.scene import Scene
from linkspan.errors import HostError
from linkspan.explain.monitors import Monitored, monitored, sight
from linkspan.plan.wording import quoted

CONFIG_LIMIT = 16 << 20
_POD = ("io.kubernetes.pod.name", "io.kubernetes.cri.sandbox-name")
_TYPE = ("io.kubernetes.cri.container-type", "io.kubernetes.cri-o.ContainerType")
_IN_POD = ("io.kubernetes.container.name", "io.kubernetes.cri.container-name")
_NAMES = ("nerdctl/name", "io.podman.annotations.container.name", *_IN_POD)


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A container: what its engine made of the request (``config``), and its first process, where one runs.

    ``config`` is empty where its bundle is not known. ``record`` is Docker's own, if it is Docker's. ``pid`` is 0 for
    a bundle that nobody has started.
    """

    name: str
    engine: str = ""
    id: str = ""
    pid: int = 0
    bundle: str = ""
    config: dict[str, Any] = {}
    record: Record | None = None

    @property
    def title(self) -> str:
        """The name, with the engine and the id where there are any."""
        more = ", ".join(part for part in (self.engine, self.id[:12] if self.id != self.name else "") if part)
        return f"{self.name} ({more})" if more else self.name


def find(scene: Scene, asked: str) -> Subject:
    """The container that somebody means; HostError where there is none, or more than one."""
    if os.path.isdir(asked) or asked.endswith("/config.json"):
        return of_bundle(asked)
    found = list(_by_name(scene, asked))
    if len(found) > 1:
        names = ", ".join(one.title for one in found[:5])
        raise HostError(f"{quoted(asked)} may be {names}", hint="give more of the id", subject=asked)
    if found:
        return found[0]
    if asked.isdecimal():
        return of_process(scene, int(asked))
    hint = "it takes the name or id of a running container, a process, or the folder of a bundle"
    raise HostError(f"no container {quoted(asked)} runs here", hint=hint, subject=asked)


def _by_name(scene: Scene, asked: str) -> Iterator[Subject]:
    records = {record.id: record for engine in scene.engines_of("docker") for record in _records(scene, engine)}
    for one in monitored(scene):
        config = _config(sight(scene, one), one.bundle)
        subject = _subject(one, config, records.get(one.id))
        by_name = not _is_sandbox(config) and asked in (subject.name, *_other_names(config))
        if by_name or (len(asked) > 3 and one.id.startswith(asked)):
            yield subject


def _records(scene: Scene, engine: Any) -> Iterator[Record]:
    return docker_state.records(scene.sight(engine), engine, scene.processes)


def _subject(one: Monitored, config: dict[str, Any], record: Record | None) -> Subject:
    annotations = _annotations(config)
    pod = next((annotations[key] for key in _POD if key in annotations), "")
    inner = next((annotations[key] for key in _NAMES if annotations.get(key)), "")
    own = record.name.lstrip("/") if record else one.name or (f"{pod}/{inner}" if pod and inner else inner)
    return Subject(
        name=own or one.id,
        engine="kubernetes" if pod else one.engine,
        id=one.id,
        pid=one.pid,
        bundle=one.bundle,
        config=config,
        record=record,
    )


def _other_names(config: dict[str, Any]) -> list[str]:
    annotations = _annotations(config)
    return [annotations[key] for key in (*_POD, *_NAMES) if annotations.get(key)]


def _is_sandbox(config: dict[str, Any]) -> bool:
    """True for the container that only holds a pod's namespaces, and goes by the pod's name, too."""
    annotations = _annotations(config)
    return "sandbox" in [annotations.get(key) for key in _TYPE]


def _annotations(config: dict[str, Any]) -> dict[str, str]:
    found = config.get("annotations")
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def of_process(scene: Scene, pid: int) -> Subject:
    """The container that a process is in; HostError where there is no such process, or it is in none."""
    if pid not in scene.processes.all:
        raise HostError(f"there is no process {pid}", hint="give the process as this host numbers it", subject=str(pid))
    ancestors = set(_with_ancestors(scene, pid))
    for one in monitored(scene):
        if one.pid in ancestors:
            config = _config(sight(scene, one), one.bundle)
            records = (record for engine in scene.engines_of("docker") for record in _records(scene, engine))
            record = next((record for record in records if record.id == one.id), None)
            return msgspec.structs.replace(_subject(one, config, record), pid=pid)
    if scene.processes.namespace(pid) == scene.processes.namespace(1):
        raise HostError(f"process {pid} is in no container", hint="it sees the host as it is", subject=str(pid))
    return Subject(name=f"process {pid}", id=scene.processes.container_id(pid), pid=pid)


def _with_ancestors(scene: Scene, pid: int) -> Iterator[int]:
    while pid in scene.processes.all:
        yield pid
        pid = scene.processes.all[pid].parent


def of_bundle(path: str) -> Subject:
    """A bundle's folder, or its config.json; HostError where that cannot be read."""
    folder = os.path.dirname(path) if path.endswith("/config.json") else path.rstrip("/")
    place = f"{folder}/config.json"
    try:
        with open(place, "rb") as file:
            config = json.loads(file.read(CONFIG_LIMIT))
    except OSError as error:
        reason = (error.strerror or "unknown").lower()
        raise HostError(f"cannot read {place}: {reason}", hint="a bundle has a config.json", subject=place) from error
    except ValueError as error:
        raise HostError(f"{place} is no JSON: {error}", subject=place) from error
    if not isinstance(config, dict):
        raise HostError(f"{place} is no OCI runtime specification", subject=place)
    return Subject(name=folder, bundle=folder, config=config)


def _config(eyes: Eyes, bundle: str) -> dict[str, Any]:
    try:
        found = json.loads(eyes.read(f"{bundle}/config.json", 0, CONFIG_LIMIT) or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def container(scene: Scene, subject: Subject) -> Container | None:
    """The running container as the doctor sees it, None where it does not run."""
    process = scene.processes.all.get(subject.pid)
    return Container(scene.eyes, scene.processes, process) if process else None
