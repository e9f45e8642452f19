"""The images that generated Dockerfiles are built on, made of Debian and, for CUDA's, of its real runtime library.

They have the names, variables, folders and loader settings of the real ones (NVIDIA's Dockerfiles of CUDA 12.9.1, the
official Python image), but Debian's system and its Python. Of CUDA's libraries that PyPI has only in wheels of hundreds
of MB there are small ones with the same names; nvcc is a script that has g++ compile, which is enough for the host's
part of a program.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tests import debian, hosts, rootfs
from tests.builders import served

RUNTIME_WHEEL = "nvidia-cuda-runtime-cu12==12.9.79"
TARGET = "/usr/local/cuda-12.9/targets/x86_64-linux"
BRANCHES = (535, 550, 560, 565, 570)
BRANDS = (
    *("unknown", "grid", "tesla", "nvidia", "quadro", "quadrortx", "nvidiartx", "vapps", "vpc", "vcs", "vws"),
    "cloudgaming",
)
LIBRARIES = {
    "libcublas": ("12.9.1.4", "cublasCreate_v2"),
    "libcublasLt": ("12.9.1.4", "cublasLtCreate"),
    "libcufft": ("11.4.1.4", "cufftPlan1d"),
    "libcurand": ("10.3.10.19", "curandCreateGenerator"),
}
"""CUDA's libraries beside the runtime: version, and a function that is in it."""
CUDNN_PARTS = ("adv", "cnn", "engines_precompiled", "engines_runtime_compiled", "graph", "heuristic", "ops")
CUDNN = {
    "libcudnn": ("9.10.2", "cudnnCreate"),
    **{f"libcudnn_{part}": ("9.10.2", f"cudnn_{part}") for part in CUDNN_PARTS},
}
"""cuDNN 9 loads its parts by name when it needs them."""
HEADERS = {
    "/cublas_v2.h": '#pragma once\n#ifdef __cplusplus\nextern "C"\n#endif\nint cublasCreate_v2(void **handle);\n'
}
NVCC = """\
#!/bin/sh
# The host's part of a CUDA program: g++ compiles it, and it is linked to the shared runtime.
home=/usr/local/cuda
exec g++ -I"$home/include" -L"$home/lib64" -x c++ "$@" -x none -lcudart
"""
LOADER: hosts.Tree = {
    "/usr/local/cuda-12.9/lib64": "-> targets/x86_64-linux/lib",
    "/usr/local/cuda-12.9/include": "-> targets/x86_64-linux/include",
    "/usr/local/cuda": "-> /etc/alternatives/cuda",
    "/etc/alternatives/cuda": "-> /usr/local/cuda-12.9",
    "/etc/ld.so.conf.d/000_cuda.conf": "/usr/local/cuda/targets/x86_64-linux/lib\n",
    "/etc/ld.so.conf.d/nvidia.conf": "/usr/local/cuda/lib64\n",
}
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
REQUIREMENT = " ".join(
    ["cuda>=12.9", *(f"brand={brand},driver>={old},driver<{old + 1}" for old in BRANCHES for brand in BRANDS)]
)
CUDA_ENV = (
    f"PATH=/usr/local/nvidia/bin:/usr/local/cuda/bin:{PATH}",
    "NVARCH=x86_64",
    f"NVIDIA_REQUIRE_CUDA={REQUIREMENT}",
    "NV_CUDA_CUDART_VERSION=12.9.79-1",
    "CUDA_VERSION=12.9.1",
    "LD_LIBRARY_PATH=/usr/local/cuda/lib64",
    "NVIDIA_VISIBLE_DEVICES=all",
    "NVIDIA_DRIVER_CAPABILITIES=compute,utility",
)
RUNTIME_ENV = (*CUDA_ENV, "NV_CUDA_LIB_VERSION=12.9.1-1", "NV_LIBCUBLAS_VERSION=12.9.1.4-1")
DEVEL_ENV = (*RUNTIME_ENV, "NV_CUDA_CUDART_DEV_VERSION=12.9.79-1", "LIBRARY_PATH=/usr/local/cuda/lib64/stubs")


class Base(NamedTuple):
    """An image: the packages of its Debian, what is added to it (a function of its root), and its variables."""

    packages: tuple[str, ...] = ()
    add: Callable[[str], None] | None = None
    env: tuple[str, ...] = (f"PATH={PATH}",)


def cuda(root: str) -> None:
    """CUDA 12.9 as its runtime image has it."""
    _runtime(root, headers=False)
    for name, (version, function) in LIBRARIES.items():
        _library(f"{root}{TARGET}/lib", name, version, function)


def cuda_cudnn(root: str) -> None:
    """The same with cuDNN, which is not below CUDA's folder."""
    cuda(root)
    for name, (version, function) in CUDNN.items():
        _library(f"{root}/usr/lib/x86_64-linux-gnu", name, version, function)


def cuda_devel(root: str) -> None:
    """CUDA 12.9 as its devel image has it."""
    cuda(root)
    _runtime(root, headers=True)
    for name in ("libcudart", *LIBRARIES):
        link = next(one for one in sorted(os.listdir(f"{root}{TARGET}/lib")) if one.startswith(f"{name}.so."))
        os.symlink(link, f"{root}{TARGET}/lib/{name}.so")
    hosts.make(f"{root}{TARGET}/include", HEADERS)
    hosts.make(root, {"/usr/local/cuda-12.9/bin/nvcc": NVCC})
    os.chmod(f"{root}/usr/local/cuda-12.9/bin/nvcc", 0o755)


def triton(root: str) -> None:
    """A server that starts, and stops."""
    hosts.make(root, {"/opt/tritonserver/bin/tritonserver": '#!/bin/sh\necho "$@"\n'})
    os.chmod(f"{root}/opt/tritonserver/bin/tritonserver", 0o755)


BASES: Mapping[str, Base] = {
    "docker.io/library/python:3.12-slim-trixie": Base(("python3", "python3-venv")),
    "docker.io/nvidia/cuda:12.9.1-devel-ubuntu24.04": Base(("g++", "make"), cuda_devel, DEVEL_ENV),
    "docker.io/nvidia/cuda:12.9.1-runtime-ubuntu24.04": Base((), cuda, RUNTIME_ENV),
    "docker.io/nvidia/cuda:12.9.1-cudnn-runtime-ubuntu24.04": Base((), cuda_cudnn, RUNTIME_ENV),
    "nvcr.io/nvidia/tritonserver:25.01-py3": Base((), triton, (f"PATH=/opt/tritonserver/bin:{PATH}",)),
}


def archive(name: str) -> str:
    """The cached archive of a base, as ``docker save`` writes it."""
    base = BASES[name]
    root = system(base.packages)

    def build(folder: str) -> None:
        shutil.copytree(root, f"{folder}/files", symlinks=True)
        hosts.make(f"{folder}/files", LOADER if base.add in (cuda, cuda_cudnn, cuda_devel) else {})
        if base.add:
            base.add(f"{folder}/files")
        for path, text in served.SETTINGS.items():
            hosts.make(f"{folder}/files", {path: text})
        _call("chroot", f"{folder}/files", "ldconfig")
        _call("tar", "-C", f"{folder}/files", "-cf", f"{folder}/layer.tar", ".")
        shutil.rmtree(f"{folder}/files")
        _pack(folder, name, base.env)

    label = name.partition("/")[2].replace("/", "-").replace(":", "-")
    with open(__file__, encoding="utf-8") as own:
        return f"{debian.cached(f'base-{label}', (root, own.read(), served.SETTINGS), build)}/image.tar"


def system(packages: tuple[str, ...]) -> str:
    """A minimal Debian with some packages, installed as apt does."""

    def build(folder: str) -> None:
        debian.debootstrap(served.SUITE, folder, *packages)
        rootfs.tidy(folder)

    return debian.cached("-".join(("system", served.SUITE, *packages)).replace("+", "p"), 1, build)


def _runtime(root: str, headers: bool) -> None:
    """The files of CUDA's runtime, from its wheel, where the toolkit has them."""
    with zipfile.ZipFile(_wheel()) as archive:
        for name in archive.namelist():
            inside = name.removeprefix("nvidia/cuda_runtime")
            if inside == "/lib/libcudart.so.12":
                _write(f"{root}{TARGET}/lib/libcudart.so.12.9.79", archive.read(name))
            elif headers and inside.startswith("/include/") and not inside.endswith(("/", ".py")):
                _write(f"{root}{TARGET}{inside}", archive.read(name))
    if not headers:
        os.symlink("libcudart.so.12.9.79", f"{root}{TARGET}/lib/libcudart.so.12")


def _wheel() -> str:
    def build(folder: str) -> None:
        argv = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", f"--dest={folder}", RUNTIME_WHEEL]
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            raise debian.UnavailableError(f"{RUNTIME_WHEEL} cannot be had: {done.stderr.strip().splitlines()[-1:]}")

    folder = debian.cached("wheel-cuda-runtime", RUNTIME_WHEEL, build)
    return f"{folder}/{os.listdir(folder)[0]}"


def _library(folder: str, name: str, version: str, function: str) -> None:
    """A library that programs can be linked to, and that says of itself what the real one does."""
    if not shutil.which("gcc"):
        raise debian.UnavailableError("gcc, which makes the libraries of the bases, is not installed")
    os.makedirs(folder, exist_ok=True)
    soname = f"{name}.so.{version.split('.', maxsplit=1)[0]}"
    code = f"int {function}(void) {{ return 0; }}\n"
    shared = ("-shared", "-nostdlib", "-fPIC", f"-Wl,-soname,{soname}")
    target = f"{folder}/{name}.so.{version}"
    subprocess.run(["gcc", *shared, "-x", "c", "-", "-o", target], input=code, text=True, check=True, timeout=60)
    os.symlink(f"{name}.so.{version}", f"{folder}/{soname}")


def _pack(folder: str, name: str, env: tuple[str, ...]) -> None:
    with open(f"{folder}/layer.tar", "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": env, "Cmd": ["/bin/bash"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        "history": [{"created_by": "tests/builders/bases.py"}],
    }
    _write_json(f"{folder}/config.json", config)
    _write_json(f"{folder}/manifest.json", [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}])
    with tarfile.open(f"{folder}/image.tar", "w") as out:
        for part in ("manifest.json", "config.json", "layer.tar"):
            out.add(f"{folder}/{part}", part)
            os.unlink(f"{folder}/{part}")


def _write_json(path: str, content: Any) -> None:
    _write(path, json.dumps(content).encode())


def _write(path: str, content: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)


def _call(*argv: str) -> None:
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, timeout=120)
