"""Docker from a snap: it sees its own file system, in which the host's programs are not."""

from collections.abc import Iterator

from linkspan.check import bridge, distribution
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import HOOKS, Scene


def _look(scene: Scene) -> Iterator[Found]:
    for engine in scene.engines_of("docker"):
        if engine.snap and engine.process is not None and not bridge.hook(scene, engine):
            pid = engine.process.pid
            yield Found(
                cause=f"dockerd comes from a snap, and {HOOKS[0]} is not among the programs that it sees",
                evidence=(
                    Evidence(subject=f"/proc/{pid}/exe", value=scene.processes.exe(pid)),
                    Evidence(subject=f"/proc/{pid}/environ", field="PATH", value=engine.path),
                    Evidence(subject=engine.config, field="its own configuration", value="not daemon.json in /etc"),
                ),
                remedy=Remedy(text="use a Docker that is no snap", commands=_move(scene)),
                about=engine.title,
            )


def _move(scene: Scene) -> tuple[str, ...]:
    install = distribution.install_command(distribution.read(scene.eyes), "docker")
    commands = ("snap remove docker" if scene.has("snap") else "", install)
    return (*filter(None, commands), "linkspan engine configure docker --restart")


RULE = Rule(id="D-ENGINE-2", link="engine", severity="error", look=_look)
