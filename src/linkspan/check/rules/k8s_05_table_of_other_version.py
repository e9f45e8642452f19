"""Settings stand in the table of another version of containerd's configuration, where they are ignored."""

from collections.abc import Iterator
from typing import Any

from linkspan.check.daemons import Engine, File
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import configure, restart
from linkspan.check.scene import Scene
from linkspan.engines import containerd
from linkspan.engines.model import get, owner
from linkspan.errors import ConfigError

_TABLES = {2: "io.containerd.grpc.v1.cri", 3: "io.containerd.cri.v1.runtime"}
"""The CRI plugin's table by the version of the file."""


def _look(scene: Scene) -> Iterator[Found]:
    for engine in scene.engines_of("containerd"):
        misplaced = [found for file in engine.files if (found := _misplaced(file))]
        view = engine.view
        if misplaced and not any(owner(program) != "other" for program in view.runtimes.values()):
            yield _found(scene, engine, *misplaced[0])
        elif view.default and view.default not in {*view.runtimes, "runc"}:
            yield _no_default(scene, engine)


def _misplaced(file: File) -> tuple[str, int, str] | None:
    """Path, version and table of a file that names runtimes where its own version does not look."""
    try:
        tree = containerd.SYNTAX.parse(file.text)
    except ConfigError:
        return None
    version = tree.get("version", 1)
    own, other = _TABLES.get(version), _TABLES.get(5 - version if version in _TABLES else 0)
    if not own or not other:
        return None
    there, here = _runtimes(tree, other), _runtimes(tree, own)
    if there and not set(there) <= set(here):
        return file.path, version, other
    return None


def _runtimes(tree: dict[str, Any], table: str) -> list[str]:
    found = get(tree, ("plugins", table, "containerd", "runtimes"), {})
    return list(found) if isinstance(found, dict) else []


def _remedy(scene: Scene, engine: Engine, text: str) -> Remedy:
    return Remedy(text=text, commands=configure(scene, engine) or restart(scene, engine))


def _found(scene: Scene, engine: Engine, path: str, version: int, table: str) -> Found:
    return Found(
        cause=f"{path} is of version {version} and has its runtimes in the table {table}, which that version ignores",
        evidence=(
            Evidence(subject=path, field="version", value=str(version)),
            Evidence(subject=path, field=f"plugins.{table}.containerd.runtimes", value="there"),
        ),
        remedy=_remedy(scene, engine, f"move them to the table {_TABLES[version]}, and restart containerd"),
        about=engine.title,
    )


def _no_default(scene: Scene, engine: Engine) -> Found:
    name = engine.view.default
    return Found(
        cause=f"default_runtime_name is {name}, and there is no runtime of this name, so the CRI plugin does not start",
        evidence=(
            Evidence(subject=engine.config, field="default_runtime_name", value=name),
            Evidence(subject=engine.config, field="runtimes", value=", ".join(engine.view.runtimes) or "none"),
        ),
        remedy=_remedy(scene, engine, f"add the runtime {name}, or take default_runtime_name out"),
        about=engine.title,
    )


RULE = Rule(id="D-K8S-5", link="engine-config", severity="error", look=_look)
