"""The one release of NVIDIA's toolkit that does not read its config.toml."""

from collections.abc import Iterator

from msgspec import structs

from linkspan.check import bridge
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import upgrade
from linkspan.check.scene import TOOLKIT_CONFIG, Scene
from linkspan.formats.toolkit_config import ToolkitConfig

_DEAF = (1, 14, 0)
"""NVIDIA/nvidia-container-toolkit#106, mended in 1.14.1."""


def _look(scene: Scene) -> Iterator[Found]:
    if bridge.toolkit_version(scene) != _DEAF or not _was_changed(scene.toolkit):
        return
    for engine in bridge.nvidias(scene, "docker", "podman", "containerd", "crio"):
        yield Found(
            cause=f"NVIDIA's toolkit 1.14.0 does not read {TOOLKIT_CONFIG}, in which settings were changed",
            evidence=(
                Evidence(subject="package nvidia-container-toolkit", field="version", value="1.14.0"),
                Evidence(subject=TOOLKIT_CONFIG, field="settings", value="not the defaults"),
            ),
            remedy=Remedy(text="update NVIDIA's toolkit", commands=upgrade(scene, bridge.TOOLKIT[:2])),
            about=engine.title,
        )


def _was_changed(settings: ToolkitConfig) -> bool:
    """Whether somebody set anything: the packages of some distributions differ in these three by themselves."""
    usual = ToolkitConfig()
    own, runtime = usual.nvidia_container_cli, usual.nvidia_container_runtime
    cli = structs.replace(settings.nvidia_container_cli, ldconfig=own.ldconfig, user=own.user)
    inner = structs.replace(settings.nvidia_container_runtime, runtimes=runtime.runtimes)
    return structs.replace(settings, nvidia_container_cli=cli, nvidia_container_runtime=inner) != usual


RULE = Rule(id="D-MODE-3", link="bridge", severity="error", look=_look)
