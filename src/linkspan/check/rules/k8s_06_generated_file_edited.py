"""k3s and RKE2 write containerd's config.toml at each start: what was edited in it has no effect, and is lost."""

from collections.abc import Iterator

from linkspan.check.daemons import Engine
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene

_SETTINGS = {"k3s": "/etc/rancher/k3s/config.yaml", "rke2": "/etc/rancher/rke2/config.yaml"}
_UNITS = {"k3s": "k3s", "rke2": "rke2-server"}


def _look(scene: Scene) -> Iterator[Found]:
    for engine in scene.engines_of("containerd"):
        edited = [file for file in engine.changed_since_start() if file.path == engine.config]
        if engine.rancher and engine.process and edited:
            yield _found(scene, engine, edited[0].changed - engine.process.started)


def _found(scene: Scene, engine: Engine, later: float) -> Found:
    name, folder = engine.rancher, engine.config.rpartition("/")[0]
    unit = next(
        (one for one in (_UNITS[name], f"{name}-agent") if scene.eyes.exists(f"/etc/systemd/system/{one}.service")),
        _UNITS[name],
    )
    template = f"{folder}/config.toml.tmpl"
    return Found(
        cause=f"{engine.config} was edited after {name} had written it: containerd has not read that, and the next "
        f"start of {name} writes it anew",
        evidence=(
            Evidence(subject=engine.config, field="changed after containerd's start, by seconds", value=f"{later:.0f}"),
            Evidence(subject=template, field="template", value="there" if scene.eyes.exists(template) else "not there"),
        ),
        remedy=Remedy(
            text=f"{name} finds the nvidia runtime by itself when it starts; to make it the default one, write "
            f"default-runtime: nvidia into {_SETTINGS[name]}; what else is to be changed belongs into a template "
            'beside the file that begins with {{ template "base" . }}',
            commands=(f"systemctl restart {unit}",) if scene.has("systemctl") else (),
        ),
        about=engine.title,
    )  # fmt: skip


RULE = Rule(id="D-K8S-6", link="engine-config", severity="error", look=_look)
