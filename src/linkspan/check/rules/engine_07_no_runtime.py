"""Docker has no runtime called nvidia, so ``--runtime=nvidia`` is refused."""

from collections.abc import Iterator

from linkspan.check import cdi_use
from linkspan.check.daemons import Engine
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import configure
from linkspan.check.scene import Scene


def _look(scene: Scene) -> Iterator[Found]:
    for engine in scene.engines_of("docker"):
        if "nvidia" in engine.view.runtimes or engine.problem or engine.snap or _by_flag(engine):
            continue
        if cdi_use.knows_cdi(engine) and scene.specs.of_kind() and not engine.rootless:
            continue  # which is D-CDI-11
        known = ", ".join(engine.view.runtimes) or "none beside runc"
        there = "is not there" if scene.sight(engine).text(engine.config) is None else f"runtimes: {known}"
        yield Found(
            cause=f"{'rootless ' * engine.rootless}Docker has no runtime named nvidia in {engine.config}",
            evidence=(Evidence(subject=engine.config, field="runtimes", value=there), *_elsewhere(scene, engine)),
            remedy=Remedy(text="add it, and have dockerd read it", commands=configure(scene, engine, "--restart")),
            about=_name(engine),
        )


def _by_flag(engine: Engine) -> bool:
    """Given on the command line in place of the file."""
    return engine.process is not None and any("nvidia=" in word for word in engine.process.argv)


def _elsewhere(scene: Scene, engine: Engine) -> tuple[Evidence, ...]:
    """Another Docker's file that has it: the wrong one was edited."""
    others = [one for one in scene.engines_of("docker") if one is not engine and "nvidia" in one.view.runtimes]
    found = [Evidence(subject=one.config, field="runtimes", value=", ".join(one.view.runtimes)) for one in others]
    usual = "/etc/docker/daemon.json"
    if (
        engine.config != usual
        and usual not in {one.config for one in others}
        and '"nvidia"' in (scene.eyes.text(usual) or "")
    ):
        found.append(Evidence(subject=usual, field="not read by this dockerd", value="has a runtime nvidia"))
    return tuple(found)


def _name(engine: Engine) -> str:
    return f"rootless {engine.title}" if engine.rootless else engine.title


RULE = Rule(id="D-ENGINE-7", link="engine-config", severity="error", look=_look)
