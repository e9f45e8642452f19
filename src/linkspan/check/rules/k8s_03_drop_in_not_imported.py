"""A runtime was written into a drop-in file that containerd's configuration does not import."""

from collections.abc import Iterator

from linkspan.check.containerd_files import defines_ours, has_ours
from linkspan.check.daemons import Engine
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import configure, restart
from linkspan.check.scene import Scene
from linkspan.engines import containerd

_FOLDERS = ("/etc/containerd/config.d", "/etc/containerd/conf.d")
_IMPORTED_BY_DEFAULT = (2, 2)
"""From then on containerd reads conf.d where its file says nothing of imports."""


def _look(scene: Scene) -> Iterator[Found]:
    for engine in scene.engines_of("containerd"):
        if not engine.rancher and not engine.problem and not has_ours(engine.view.runtimes):
            yield from _of(scene, engine)


def _of(scene: Scene, engine: Engine) -> Iterator[Found]:
    eyes = scene.sight(engine)
    read = {file.path for file in engine.files}
    for folder in _FOLDERS:
        if folder.endswith("/conf.d") and (not engine.version or engine.version >= _IMPORTED_BY_DEFAULT):
            continue
        for name in eyes.names(folder):
            path = f"{folder}/{name}"
            if name.endswith(".toml") and path not in read and defines_ours(eyes.text(path)):
                yield _found(scene, engine, path, folder)


def _found(scene: Scene, engine: Engine, path: str, folder: str) -> Found:
    listed = containerd.imports(engine.tree)
    able = scene.has("linkspan")
    return Found(
        cause=f"{path} has the nvidia runtime, and {engine.config} does not import it",
        evidence=(
            Evidence(subject=engine.config, field="imports", value=", ".join(listed) or "none"),
            Evidence(subject=path, field="runtimes", value="nvidia's"),
        ),
        remedy=Remedy(
            text=f'add imports = ["{folder}/*.toml"] at the top of {engine.config}, above every [table], and restart '
            "containerd" + ("; or have the runtime written where containerd reads it" if able else ""),
            commands=configure(scene, engine) or restart(scene, engine),
        ),
        about=engine.title,
    )


RULE = Rule(id="D-K8S-3", link="engine-config", severity="error", look=_look)
