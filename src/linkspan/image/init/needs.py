"""What a project needs of its image, told from its files; pure."""

import re
from typing import Literal

from linkspan.errors import ConfigError
from linkspan.facts.model import Model
from linkspan.image.init import entry, requirements
from linkspan.image.init.project import Project
from linkspan.image.init.requirements import pinned

Kind = Literal[
    "pytorch",
    "tensorflow",
    "tensorrt",
    "onnxruntime",
    "jax",
    "triton-client",
    "triton-server",
    "cuda-cpp",
    "python",
]
_BY_PACKAGE: tuple[tuple[Kind, frozenset[str]], ...] = (
    ("tensorrt", frozenset({"tensorrt", "tensorrt-cu12", "tensorrt-cu13", "torch-tensorrt"})),
    ("pytorch", frozenset({"torch", "pytorch", "vllm", "sglang", "lightning", "pytorch-lightning", "torchvision"})),
    ("tensorflow", frozenset({"tensorflow", "keras"})),
    ("jax", frozenset({"jax", "flax"})),
    ("onnxruntime", frozenset({"onnxruntime", "onnxruntime-gpu"})),
    ("triton-client", frozenset({"tritonclient"})),
)
_BY_IMPORT: dict[str, str] = {"pytorch_lightning": "pytorch-lightning"}
_TITLES: dict[Kind, str] = {
    "pytorch": "a PyTorch project",
    "tensorflow": "a TensorFlow project",
    "tensorrt": "a TensorRT project",
    "onnxruntime": "an ONNX Runtime project",
    "jax": "a JAX project",
    "triton-client": "a client of Triton",
}
_LINKED = {
    "": "nothing of CUDA but its runtime",
    "runtime": "CUDA's libraries",
    "cudnn": "cuDNN",
    "tensorrt": "TensorRT",
}
_BUILT = frozenset({"flash-attn", "apex", "detectron2", "tinycudann", "pytorch3d", "mamba-ssm", "causal-conv1d"})
"""Packages that compile CUDA code when they are installed."""
_JIT = frozenset({"vllm", "sglang", "triton", "unsloth"})
"""Packages that call a C compiler when they run: Triton's launchers are made then."""
_VIDEO = frozenset({"pynvvideocodec", "decord", "torchcodec", "nvidia-dali-cuda120", "nvidia-dali-cuda130"})
_GRAPHICS = frozenset({"pyrender", "moderngl", "mujoco", "pyopengl", "glfw", "isaacsim", "habitat-sim"})
_ON_GPU = re.compile(r"cupy.*|numba.*|pycuda|pynvml|nvidia-ml-py|cuda-python|cudf.*|rmm.*|warp-lang|faiss-gpu.*")
_LIBRARIES = re.compile(r"cublas|cufft|curand|cusolver|cusparse|\bnpp|nvrtc|nvjpeg|nccl", re.IGNORECASE)
_BUILDS = re.compile(r"CUDAExtension|CUDA_HOME|\.cu[\"']|LANGUAGES[^)]*CUDA|nvcc")


class Needs(Model, frozen=True, kw_only=True):
    """What the image has to have. ``reasons`` say how that was told, in sentences for people.

    ``wanted`` are the requirements by name; ``libraries`` what of CUDA is linked: "", "runtime", "cudnn" or "tensorrt";
    ``compiles`` whether nvcc is needed to build, ``jit`` whether a C compiler is needed to run.
    """

    kind: Kind
    command: tuple[str, ...]
    reasons: tuple[str, ...]
    wanted: dict[str, str] = {}
    python: str = ""
    compiles: bool = False
    jit: bool = False
    libraries: str = ""
    capabilities: tuple[str, ...] = ()
    toolkit: str = ""


def needs(project: Project) -> Needs:
    """What a project needs. Raises ConfigError where nothing tells what it is."""
    wanted = requirements.requirements(project)
    imported = requirements.imports(project)
    names = frozenset(wanted) | {_BY_IMPORT.get(name, name) for name in imported}
    if served := [path for path in project.files if path.endswith("/config.pbtxt")]:
        return _served(wanted, served[0])
    sources = project.matching("*.cu", "*.cuh", "*.cpp", "*.cc", "*.h", "CMakeLists.txt", "Makefile", "makefile")
    is_python = bool(wanted) or any(path.endswith(".py") for path in project.files)
    if not is_python and any(path.endswith((".cu", "CMakeLists.txt")) or "akefile" in path for path in sources):
        return _native(project, sources)
    if not is_python:
        raise ConfigError(
            f"nothing in {project.name} tells what it is",
            hint="it has neither pyproject.toml, requirements.txt, environment.yml, CMakeLists.txt, *.py nor *.cu",
        )
    return _python(project, wanted, names)


def _served(wanted: dict[str, str], path: str) -> Needs:
    return Needs(
        kind="triton-server",
        command=("tritonserver", "--model-repository=/models"),
        reasons=(f"a model repository of Triton: {path} is there",),
        wanted=wanted,
        capabilities=("compute", "utility"),
    )


def _native(project: Project, sources: dict[str, str]) -> Needs:
    text = "\n".join(sources.values())
    toolkit = re.search(r"CUDAToolkit\s+(\d+\.\d+)", text)
    libraries = (
        *("tensorrt" if "nvinfer" in text.lower() else "", "cudnn" if "cudnn" in text.lower() else ""),
        "runtime" if _LIBRARIES.search(text) else "",
    )
    extra = ("video",) if re.search(r"nvcuvid|nvEncode|nvenc", text) else ()
    graphics = ("graphics",) if re.search(r"\b(EGL|GLFW|vulkan|optix)", text) else ()
    chosen = next(filter(None, libraries), "")
    return Needs(
        kind="cuda-cpp",
        command=(f"/opt/app/bin/{entry.program(project)}",),
        reasons=(f"a CUDA project, from {next(iter(sources))}: it links {_LINKED[chosen]}",),
        compiles=True,
        libraries=chosen,
        capabilities=("compute", "utility", *extra, *graphics),
        toolkit=toolkit[1] if toolkit else "",
    )


def _python(project: Project, wanted: dict[str, str], names: frozenset[str]) -> Needs:
    kind: Kind = next((kind for kind, packages in _BY_PACKAGE if packages & names), "python")
    code = "\n".join(project.matching("*.py").values())
    built = sorted(_BUILT & names)
    compiles = bool(built or project.matching("*.cu") or _BUILDS.search(project.texts.get("setup.py", "")))
    on_gpu = kind not in ("python", "triton-client") or compiles or any(_ON_GPU.fullmatch(name) for name in names)
    video = ("video",) if _VIDEO & names or re.search(r"h264_nvenc|hevc_nvenc|cuvid", code) else ()
    graphics = ("graphics",) if _GRAPHICS & names else ()
    return Needs(
        kind=kind,
        command=entry.command(project),
        reasons=tuple(_reasons(kind, names, compiles, on_gpu)),
        wanted=wanted,
        python=requirements.python(project, wanted),
        compiles=compiles,
        jit=bool(_JIT & names) or "torch.compile(" in code,
        libraries=_python_libraries(kind, names),
        capabilities=("compute", "utility", *video, *graphics) if on_gpu else (),
        toolkit=_toolkit(kind, wanted),
    )


def _python_libraries(kind: Kind, names: frozenset[str]) -> str:
    """What of CUDA the packages do not bring themselves: ONNX Runtime takes cuDNN and cuBLAS from the system."""
    if kind == "onnxruntime":
        return "cudnn"
    return "runtime" if any(name.startswith(("cupy", "numba", "pycuda", "cuda-python")) for name in names) else ""


def _reasons(kind: Kind, names: frozenset[str], compiles: bool, on_gpu: bool) -> list[str]:
    found = sorted(next((packages & names for one, packages in _BY_PACKAGE if one == kind), frozenset()))
    said = [f"{_TITLES[kind]}: it asks for {found[0]}" if found else "a Python project"]
    if compiles:
        said.append("CUDA code is compiled, so it is built on a devel image")
    if not on_gpu:
        said.append("nothing of it uses a GPU, so its image asks for none")
    return said


_TORCH = ((2, 2), "12.1"), ((2, 5), "12.1"), ((2, 7), "12.4"), ((2, 8), "12.6"), ((2, 11), "12.8")
"""The CUDA that wheels of PyTorch below a version are built with, as their metadata says."""


def _toolkit(kind: Kind, wanted: dict[str, str]) -> str:
    """The CUDA version that a framework's wheels are built with; empty where the usual one does."""
    if kind == "pytorch":
        have = pinned(wanted.get("torch", ""))
        if have is None or have < (2, 1):
            return "11.7" if have else "13.0"
        return next((cuda for below, cuda in _TORCH if have < below), "13.0")
    if kind == "onnxruntime":
        have = pinned(wanted.get("onnxruntime-gpu", ""))
        return "13.0" if have is None or have >= (1, 31) else "12.9" if have >= (1, 19) else "11.8"
    return ""
