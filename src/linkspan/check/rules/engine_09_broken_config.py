"""A daemon.json that dockerd does not start with: not JSON, or a setting that its command line has, too."""

from collections.abc import Iterator

from linkspan.check.daemons import Engine
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene

_SAVED = (".rpmsave", ".dpkg-old", ".dpkg-dist", ".bak", ".orig")
_BY_FLAG = {
    "hosts": ("-H", "--host"),
    "data-root": ("--data-root", "-g"),
    "default-runtime": ("--default-runtime",),
    "runtimes": ("--add-runtime",),
    "storage-driver": ("-s", "--storage-driver"),
    "log-driver": ("--log-driver",),
    "exec-root": ("--exec-root",),
}
"""Settings that dockerd refuses to have from both sides ("specified both as a flag and in the configuration file")."""


def _look(scene: Scene) -> Iterator[Found]:
    for engine in scene.engines_of("docker"):
        yield from _unreadable(scene, engine)
        yield from _twice(scene, engine)
        yield from _gone(scene, engine)


def _unreadable(scene: Scene, engine: Engine) -> Iterator[Found]:
    for file in engine.files:
        if file.problem:
            yield Found(
                cause=f"dockerd cannot read its configuration, and will not start again: {file.problem}",
                evidence=(Evidence(subject=file.path, field="problem", value=file.problem), *_saved(scene, file.path)),
                remedy=Remedy(
                    text="correct it; dockerd says itself whether it can read it", commands=_validate(scene, file.path)
                ),
                about=engine.title,
            )


def _validate(scene: Scene, path: str) -> tuple[str, ...]:
    return (f"dockerd --validate --config-file={path}",) if scene.has("dockerd") else ()


def _twice(scene: Scene, engine: Engine) -> Iterator[Found]:
    flags = _unit_flags(scene) + (list(engine.process.argv[1:]) if engine.process else [])
    for key, names in _BY_FLAG.items():
        used = next((flag for flag in flags if flag.partition("=")[0] in names), "")
        if key in engine.tree and used:
            yield Found(
                cause=f"'{key}' is in {engine.config} and on dockerd's command line, so it does not start",
                evidence=(
                    Evidence(subject=engine.config, field=key, value=str(engine.tree[key])),
                    Evidence(subject="command line of dockerd", value=used),
                ),
                remedy=Remedy(text="keep it in one place: in the file, or in the unit"),
                about=engine.title,
            )


def _unit_flags(scene: Scene) -> list[str]:
    unit = scene.eyes.text("/etc/systemd/system/docker.service") or ""
    return [word for line in unit.splitlines() if line.startswith("ExecStart=") for word in line.split()[1:]]


def _gone(scene: Scene, engine: Engine) -> Iterator[Found]:
    saved = _saved(scene, engine.config)
    if saved and scene.sight(engine).text(engine.config) is None:
        yield Found(
            cause=f"{engine.config} is gone, and what it said stands beside it: a package took it away",
            evidence=saved,
            remedy=Remedy(
                text="put it back, then add the runtime to it", commands=(f"mv {saved[0].subject} {engine.config}",)
            ),
            about=engine.title,
        )


def _saved(scene: Scene, path: str) -> tuple[Evidence, ...]:
    places = [path + ending for ending in _SAVED if scene.eyes.exists(path + ending)]
    return tuple(Evidence(subject=place, field="a copy of before") for place in places)


RULE = Rule(id="D-ENGINE-9", link="engine-config", severity="error", look=_look)
