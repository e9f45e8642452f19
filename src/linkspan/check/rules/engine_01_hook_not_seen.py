"""dockerd did not find the hook's program on its own PATH when it started, so it knows no ``--gpus``."""

from collections.abc import Iterator

from linkspan.check import bridge
from linkspan.check.daemons import Engine
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import restart
from linkspan.check.rules.engine_06_amd_answers import CHOOSES_SINCE
from linkspan.check.scene import HOOKS, Scene


def _look(scene: Scene) -> Iterator[Found]:
    for engine in scene.engines_of("docker"):
        chooses = engine.version >= CHOOSES_SINCE and not bridge.hook(scene, engine)
        if engine.process is not None and not engine.snap and not chooses:
            yield from _of(scene, engine, engine.process.pid, engine.process.started)


def _of(scene: Scene, engine: Engine, pid: int, started: float) -> Iterator[Found]:
    sight = scene.sight(engine)
    hook = bridge.hook(scene, engine)
    path = Evidence(subject=f"/proc/{pid}/environ", field="PATH", value=engine.path)
    if not hook:
        yield Found(
            cause=f"{HOOKS[0]} is in no folder of dockerd's PATH, so dockerd has no driver for --gpus",
            evidence=(path,),
            remedy=Remedy(
                text="put the program in place, then restart dockerd",
                commands=("linkspan install", *restart(scene, engine)),
            ),
            about=engine.title,
        )
        return
    changed = max(found.mtime_ns / 1e9 for place in (hook, sight.real(hook) or hook) if (found := sight.status(place)))
    if changed > started:
        yield Found(
            cause=f"{hook} is newer than the dockerd that runs, which looked for it when it started",
            evidence=(
                path,
                Evidence(
                    subject=hook,
                    field="changed after the start of dockerd, by seconds",
                    value=f"{changed - started:.0f}",
                ),
            ),
            remedy=Remedy(text="restart dockerd; a reload does not look again", commands=restart(scene, engine)),
            about=engine.title,
        )


RULE = Rule(id="D-ENGINE-1", link="engine", severity="error", look=_look)
