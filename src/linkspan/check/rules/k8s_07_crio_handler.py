"""A pod has a runtime class whose handler CRI-O does not know, or the hook stands where CRI-O does not look."""

import re
from collections.abc import Iterator

from linkspan.check.daemons import Engine
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import configure, restart
from linkspan.check.scene import Scene
from linkspan.engines.model import get, owner

_REFUSED = re.compile(r"failed to find runtime handler (nvidia[\w.-]*) from runtime list")
_HOOK_FOLDERS = ("/run/containers/oci/hooks.d", "/etc/containers/oci/hooks.d")
_DEFAULT_FOLDERS = ("/usr/share/containers/oci/hooks.d",)


def _look(scene: Scene) -> Iterator[Found]:
    engine = scene.node.engine
    if engine is None or engine.kind != "crio":
        return
    logged = scene.logged(_REFUSED)
    if logged and (logged[1][1] not in engine.view.runtimes or engine.changed_since_start()):
        yield _no_handler(scene, engine, logged[0], logged[1])
    elif not any(owner(program) != "other" for program in engine.view.runtimes.values()):
        yield from _hook_not_seen(scene, engine)


def _no_handler(scene: Scene, engine: Engine, path: str, refused: re.Match[str]) -> Found:
    name = refused[1]
    known = name in engine.view.runtimes
    wanted = () if known else configure(scene, engine, *(() if name == "nvidia" else ("--runtime-name", name)))
    return Found(
        cause=f"the handler {name} was configured after CRI-O had started"
        if known
        else f"a runtime class wants the handler {name}, and CRI-O has none of this name",
        evidence=(
            Evidence(subject=path, field="kubelet", value=refused[0]),
            Evidence(subject=engine.config, field="runtimes", value=", ".join(engine.view.runtimes) or "none"),
        ),
        remedy=Remedy(
            text="restart CRI-O"
            if known
            else "configure the handler and restart CRI-O; or take runtimeClassName out where an OCI hook is used",
            commands=wanted or restart(scene, engine),
        ),
        about=engine.title,
    )


def _hook_not_seen(scene: Scene, engine: Engine) -> Iterator[Found]:
    listed = get(engine.tree, ("crio", "runtime", "hooks_dir"), None)
    folders = [str(item) for item in listed] if isinstance(listed, list) else list(_DEFAULT_FOLDERS)
    for folder in _HOOK_FOLDERS:
        hook = next((name for name in scene.eyes.names(folder) if "nvidia" in name and name.endswith(".json")), "")
        if hook and folder not in folders:
            yield Found(
                cause=f"the OCI hook {folder}/{hook} is in no folder of hooks_dir, so CRI-O does not run it",
                evidence=(
                    Evidence(subject=engine.config, field="crio.runtime.hooks_dir", value=", ".join(folders)),
                    Evidence(subject=f"{folder}/{hook}", field="hook", value="there"),
                ),
                remedy=Remedy(
                    text=f"add {folder} to hooks_dir in the section [crio.runtime], and restart CRI-O",
                    commands=restart(scene, engine),
                ),
                about=engine.title,
                link="engine-config",
            )


RULE = Rule(id="D-K8S-7", link="engine", severity="error", look=_look)
