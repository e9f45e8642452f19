"""The templates that k3s and RKE2 make containerd's configuration from at each start."""

import re

from linkspan.engines import template as SYNTAX  # noqa: N812  # a constant of these rules
from linkspan.engines.containerd import SHIM
from linkspan.engines.model import Activation, Change, Setting, Tree, View, Wanted
from linkspan.engines.tomltext import dump
from linkspan.errors import ConfigError

__all__ = ["PROGRAM", "SEED", "SYNTAX", "TITLE", "UNITS", "activation", "needs_cdi_switch", "notes", "settings", "view"]

TITLE = "k3s' or RKE2's containerd"
PROGRAM = ""
UNITS: tuple[str, ...] = ("k3s", "k3s-agent", "rke2-server", "rke2-agent")
SEED = '{{ template "base" . }}\n'
"""The whole of the built-in template, which a file of one's own otherwise replaces."""

_BLOCK_PROGRAM = re.compile(r'^  BinaryName = "([^"]*)"', re.MULTILINE)
_SYSTEMD = re.compile(r"^[ \t]*SystemdCgroup[ \t]*=[ \t]*(true|false)", re.MULTILINE)


def view(tree: Tree) -> View:
    """The runtimes of the template: ours, and those that others wrote."""
    ours = {name: match[1] for name, body in tree["blocks"].items() if (match := _BLOCK_PROGRAM.search(body))}
    return View(runtimes={**tree["others"], **ours})


def settings(tree: Tree, others: Tree, wanted: Wanted) -> list[Setting]:
    """What is to be set: a block of tables. ``others`` has the version, and what the last rendering says."""
    if wanted.default:
        raise ConfigError(
            "the table with the default runtime is in the built-in template, and TOML lets nobody open it twice",
            hint=f"start k3s or RKE2 with --default-runtime {wanted.name} instead",
        )
    if (program := {**others.get("runtimes", {}), **tree["others"]}.get(wanted.name)) is not None:
        raise ConfigError(
            f"a runtime '{wanted.name}' is there already, made by the template for {program or 'another program'}",
            hint="choose another name with --runtime-name, or take that runtime out first",
        )
    return [Setting(path=("blocks", wanted.name), value=block(wanted, others.get("version", 2), others.get("systemd")))]


def block(wanted: Wanted, version: int, systemd: bool | None) -> str:
    """The tables of the runtime. Go templates leave text without braces as it is."""
    if "{{" in wanted.program:
        raise ConfigError(f"{wanted.program} has braces, which mean something in a template")
    quote, plugin = ("'", "io.containerd.cri.v1.runtime") if version > 2 else ('"', "io.containerd.grpc.v1.cri")
    header = f"plugins.{quote}{plugin}{quote}.containerd.runtimes.{dump(wanted.name)}"
    lines = [f"[{header}]", f"  runtime_type = {dump(SHIM)}", f"[{header}.options]"]
    lines.append(f"  BinaryName = {dump(wanted.program)}")
    if systemd is not None:
        lines.append(f"  SystemdCgroup = {dump(systemd)}")
    return "".join(f"{line}\n" for line in lines)


def rendered(text: str, own: Tree) -> dict[str, object]:
    """What the last rendering of the template says that matters here, without what our own blocks put there."""
    systemd = _SYSTEMD.search(text)
    others = SYNTAX.parse(text)["others"]  # a rendering has our two lines, too
    names = {name: program for name, program in others.items() if name not in own["blocks"]}
    return {"runtimes": names, "systemd": systemd[1] == "true" if systemd else None}


def needs_cdi_switch(version: tuple[int, ...]) -> bool | None:  # the same in all versions
    """The switch is in the built-in template, out of reach."""
    return None


def activation(changes: tuple[Change, ...], *, undone: bool) -> Activation:  # the same both ways
    """The template is rendered when the service starts."""
    return "restart" if changes else "none"


def notes(tree: Tree, wanted: Wanted) -> list[str]:
    """Who decides on CDI."""
    del tree
    return ["the CDI switch is in k3s' and RKE2's own template, and stays as it is there"] if wanted.cdi else []
