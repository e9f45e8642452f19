"""Nothing keeps the GPUs awake, so each start wakes all of them, which takes longer than NVIDIA's program waits."""

from collections.abc import Iterator

from linkspan.check.device_nodes import driven
from linkspan.check.driver_module import install
from linkspan.check.failed_starts import failed, kept
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import start_unit
from linkspan.check.scene import Scene
from linkspan.plan.wording import plural

DAEMON = "nvidia-persistenced"
_ERROR = r"driver rpc error: timed out"


def _look(scene: Scene) -> Iterator[Found]:
    if not driven(scene) or any(one.name == DAEMON for one in scene.processes.all.values()):
        return
    record = next((record for record, _ in failed(scene, _ERROR)), None)
    if record is not None:
        gpus = plural(len(driven(scene)), "GPU")
        branch = scene.loaded_driver.partition(".")[0]
        yield Found(
            cause=f"{DAEMON} does not run, so a start wakes {gpus}, which took longer than NVIDIA's program waits",
            evidence=(kept(record), Evidence(subject="/proc", field=f"process {DAEMON}", value="not there")),
            remedy=Remedy(
                text="let the daemon keep the GPUs awake",
                commands=start_unit(scene, DAEMON) or install(scene, "persistence", branch=branch),
            ),
        )


RULE = Rule(id="D-DRIVER-8", link="module", severity="error", look=_look)
