"""A container was to run nvidia-smi, and it was not in there."""

from collections.abc import Iterator

from linkspan.check.docker_state import Record
from linkspan.check.graphics import CAPABILITIES
from linkspan.check.model import Evidence, Found, Link, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene

_MISSING = 'exec: "nvidia-smi": executable file not found in $PATH'


def _look(scene: Scene) -> Iterator[Found]:
    for record in scene.docker_records:
        if _MISSING in record.error and scene.has_driver:
            yield from _why(scene, record)


def _why(scene: Scene, record: Record) -> Iterator[Found]:
    granted = record.env.get(CAPABILITIES, "")
    if not any(file.path.endswith("/nvidia-smi") for file in scene.facts.binaries):
        yield _found(
            record,
            "libraries",
            "the host's driver has no nvidia-smi, so there is none to inject",
            Evidence(subject="/usr/bin/nvidia-smi", field="on the host", value="not there"),
            "install the driver's nvidia-smi on the host, or name the folder that it stands in by the driver root",
        )
    elif not _asks(record):
        yield _found(
            record,
            "request",
            "it was started without any GPU, so nothing of the driver was injected",
            Evidence(subject=record.asked, field="DeviceRequests", value="none"),
            "start it with --gpus all, or with --runtime=nvidia and NVIDIA_VISIBLE_DEVICES=all",
        )
    elif granted and not {"all", "utility"} & set(granted.split(",")):
        yield _found(
            record,
            "request",
            f"{CAPABILITIES}={granted} does not grant utility, which nvidia-smi belongs to",
            Evidence(subject=record.path, field=f"Config.Env {CAPABILITIES}", value=granted),
            f"start it with -e {CAPABILITIES}=compute,utility",
        )


def _asks(record: Record) -> bool:
    by_runtime = record.runtime not in ("", "runc", "crun") and record.wants_gpus
    return bool(record.requests) or by_runtime


def _found(record: Record, link: Link, cause: str, evidence: Evidence, remedy: str) -> Found:
    return Found(
        cause=cause,
        evidence=(Evidence(subject=record.path, field="State.Error", value=_MISSING), evidence),
        remedy=Remedy(text=remedy),
        about=record.title,
        link=link,
    )


RULE = Rule(id="D-GRAPHICS-3", link="request", severity="error", look=_look)
