"""The files and device nodes that each capability brings, by the runtime and by the prestart hook (contract 4.4)."""

import glob
import os
from collections.abc import Iterable

from tests.contract.case import REFUSED, Answer, Case, Program
from tests.contract.programs import Programs

_COMPUTE_LIBRARIES = """libcuda libcudadebugger libnvidia-opencl libnvidia-gpucomp libnvidia-ptxjitcompiler
    libnvidia-fatbinaryloader libnvidia-allocator libnvidia-compiler libnvidia-pkcs11
    libnvidia-pkcs11-openssl3 libnvidia-nvvm"""
_GRAPHICS = """libnvidia-eglcore libnvidia-glcore libnvidia-tls libnvidia-glsi libnvidia-fbc libnvidia-ifr
    libnvidia-rtcore libnvoptix libGLX_nvidia libEGL_nvidia libGLESv2_nvidia libGLESv1_CM_nvidia
    libnvidia-glvkspirv libnvidia-cbl"""
_FILES = {
    "utility": """libnvidia-ml libnvidia-cfg libnvidia-nscq nvidia-smi nvidia-debugdump nvidia-persistenced
        nv-fabricmanager""",
    "compute": f"{_COMPUTE_LIBRARIES} nvidia-cuda-mps-control nvidia-cuda-mps-server",
    "video": f"{_COMPUTE_LIBRARIES} libvdpau_nvidia libnvidia-encode libnvidia-opticalflow libnvcuvid",
    "graphics": _GRAPHICS,
    "display": _GRAPHICS,
    "ngx": "libnvidia-ngx",
}
"""What is of each capability; a host need not have all of it."""

_UVM = ("nvidia-uvm", "nvidia-uvm-tools")
_NODES = {"compute": _UVM, "video": _UVM, "display": ("nvidia-modeset",)}
_KNOWN = {name for names in _FILES.values() for name in names.split()}
_AS_LISTED = "as listed"
_UNNAMED = "no capability named"
_GBM = ("besides libnvidia-allocator", "GBM, which graphics goes through, is a link to the allocator")
_BETTER_FILES: dict[str, tuple[str | None, str]] = {"graphics": _GBM, "display": _GBM}
_BETTER_NODES: dict[str, tuple[str | None, str]] = {
    "graphics": ("nvidia-modeset nvidia0 nvidiactl", "the toolkit's own CDI specs bring nvidia-modeset, too"),
}
_LOOK = ("/bin/sh", "-c", r"cut -d ' ' -f 5 /proc/self/mountinfo; ls -d /dev/nvidia*")


def _stems(paths: Iterable[str]) -> set[str]:
    """``libcuda`` for ``/usr/lib64/libcuda.so.550.163.01``: of the files that belong to some capability alone."""
    return {os.path.basename(path).partition(".so")[0] for path in paths} & _KNOWN


def _wanted(programs: Programs, capabilities: str) -> set[str]:
    """What the host has of these capabilities."""
    roots = [f"{programs.driver_root}/usr/{folder}" for folder in ("bin", "lib64", "lib/*-linux-gnu")]
    present = _stems(path for root in roots for path in glob.glob(f"{root}/**", recursive=True))
    return {name for capability in capabilities.split(",") for name in _FILES[capability].split()} & present


def _difference(missing: set[str], more: set[str]) -> str:
    parts = [f"{word} {' '.join(sorted(names))}" for word, names in (("without", missing), ("besides", more)) if names]
    return ", ".join(parts) or _AS_LISTED


def _request(capabilities: str) -> tuple[str, ...]:
    return ("NVIDIA_VISIBLE_DEVICES=0", *([f"NVIDIA_DRIVER_CAPABILITIES={capabilities}"] if capabilities else []))


def _seen(program: Program, capabilities: str, meaning: str, *, exactly: bool) -> Case:
    """The files in a real container; where not exactly, those of other capabilities may be there, too."""

    def act(programs: Programs) -> Answer:
        outcome = programs.start(program, _request(capabilities), _LOOK)
        found, wanted = _stems(outcome.output.split()), _wanted(programs, meaning)
        text = _difference(wanted - found, found - wanted if exactly else set())
        return Answer(REFUSED if outcome.created else text, outcome.errors)

    better, why = _BETTER_FILES.get(capabilities, (None, "")) if exactly else (None, "")
    return Case(program, f"all files of {capabilities or _UNNAMED}", _AS_LISTED, act, better, why)


def _nodes(capabilities: str, meaning: str) -> Case:
    """The device nodes that the prestart hook makes in a real container."""
    more = {node for capability in meaning.split(",") for node in _NODES.get(capability, ())}

    def act(programs: Programs) -> Answer:
        outcome = programs.start("hook", _request(capabilities), _LOOK)
        found = sorted({line[5:] for line in outcome.output.split() if line.startswith("/dev/nvidia")})
        return Answer(REFUSED if outcome.created else " ".join(found), outcome.errors)

    expected = " ".join(sorted({"nvidia0", "nvidiactl", *more}))
    better, why = _BETTER_NODES.get(capabilities, (None, ""))
    return Case("hook", f"nodes of {capabilities or _UNNAMED}", expected, act, better, why)


_REQUESTS = {"": "compute,utility", "all": ",".join(_FILES), **{name: name for name in _FILES}}
"""What is named, and what it means to the prestart hook."""

CASES = (
    *(_seen("runtime", name, name, exactly=False) for name in _FILES),
    *(_seen("hook", name, meaning, exactly=True) for name, meaning in _REQUESTS.items()),
    *(_nodes(name, meaning) for name, meaning in _REQUESTS.items()),
)
