"""gVisor's nvproxy does not know the driver's version, and all that the engine sees of it is EOF."""

from collections.abc import Iterator

from linkspan.check import gvisor
from linkspan.check.docker_state import Record
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.facts.driver import VERSION_FILE

_EOF = "waiting for sandbox to start: EOF"


def _look(scene: Scene) -> Iterator[Found]:
    for engine in scene.engines_of("docker"):
        for name, arguments in gvisor.runtimes(engine).items():
            failed = (one for one in scene.docker_records if one.runtime == name and _EOF in one.error)
            record = next((one for one in failed if one.wants_gpus), None)
            refusal = next(gvisor.refusals(scene, arguments), None) if record else None
            if not (record and refusal) or refusal[1] != scene.loaded_driver:
                continue
            if not _is_newer(scene, engine.view.runtimes[name], refusal[0]):
                yield _found(scene, record, *refusal)


def _is_newer(scene: Scene, program: str, log: str) -> bool:
    """True where runsc was replaced after it had written that."""
    own, told = scene.eyes.follow(program), scene.eyes.status(log)
    return own is not None and told is not None and own.mtime_ns > told.mtime_ns


def _found(scene: Scene, record: Record, log: str, version: str) -> Found:
    return Found(
        cause=f"runsc refuses driver {version}: its nvproxy serves only the versions on its list",
        evidence=(
            Evidence(subject=log, field="unsupported Nvidia driver version", value=version),
            Evidence(subject=record.path, field="State.Error", value=_EOF),
            Evidence(subject=VERSION_FILE, field="NVRM version", value=scene.loaded_driver),
        ),
        remedy=Remedy(
            text="install a newer runsc, or one of the drivers that it lists",
            commands=("runsc nvproxy list-supported-drivers",) if scene.has("runsc") else (),
        ),
        about=record.title,
    )


RULE = Rule(id="D-SANDBOX-1", link="injection", severity="error", look=_look)
