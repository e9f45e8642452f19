"""A Dockerfile uses a GPU in a build step, where BuildKit gives none."""

import re
from collections.abc import Iterator

from linkspan.check.compose import services
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.facts.host import TEXT_LIMIT, HostReader

_STEP = re.compile(r"^\s*RUN\s+(?P<rest>.*)$", re.IGNORECASE)
_USES = re.compile(r"(?:^|[\s;&|(])nvidia-smi(?:[\s;&|)]|$)")
_GUARDED = re.compile(r"command\s+-v|which\s|\|\|")


def _look(scene: Scene) -> Iterator[Found]:
    files = {service.dockerfile: service for service in services(scene) if service.dockerfile}
    for path, service in files.items():
        none: list[list[str]] = []
        for line, step in scene.eyes.derive("dockerfile", path, _steps, none)[:1]:
            yield Found(
                cause=f"{path} runs nvidia-smi in a build step, and builds have no GPU, whatever the default runtime",
                evidence=(Evidence(subject=f"{path}:{line}", field="RUN", value=step[:200]),),
                remedy=Remedy(
                    text="leave the GPU out of the build (TORCH_CUDA_ARCH_LIST tells compilers what to build for), or "
                    "write RUN --device=nvidia.com/gpu=all with '# syntax=docker/dockerfile:1-labs' in the first line "
                    "and build with --allow device"
                ),
                about=f"{service.file}, service {service.name}",
            )


def _steps(host: HostReader, path: str) -> list[list[str]]:
    """The numbers and texts of the steps that run nvidia-smi and cannot do without."""
    text = (host.read(path, 0, TEXT_LIMIT) or b"").decode("utf-8", "replace")
    found = []
    for number, line in _joined(text):
        step = _STEP.match(line)
        rest = step["rest"] if step else ""
        if _USES.search(rest) and "--device" not in rest and not _GUARDED.search(rest):
            found.append([str(number), rest])
    return found


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """The instructions: a line that ends in a backslash goes on in the next one, comments between them left out."""
    start, whole = 1, ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#"):
            continue
        start = start if whole else number
        whole += line.rstrip().removesuffix("\\") + " "
        if not line.rstrip().endswith("\\"):
            yield start, whole.strip()
            whole = ""


RULE = Rule(id="D-BUILD-1", link="request", severity="warning", look=_look)
