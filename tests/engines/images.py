"""The image that the guide's commands name, and one for pods, as ``docker save`` would write them for all engines.

Its variables, folders and loader settings are those of the real image; below it is a Debian, and libcudart is an empty
library, since nothing computes here.
"""

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
from typing import Any

from tests import debian, hosts, rootfs
from tests.engines import machine

CUDA = "nvidia/cuda:12.1.1-base-ubuntu22.04"
PAUSE = "linkspan-test/pause:1"
"""On the same layer: what holds the namespaces of a pod, and asks for nothing."""
CREATED = "2023-11-10T00:00:00Z"

BRANCHES = (470, 525)
BRANDS = (
    "tesla",
    "unknown",
    "nvidia",
    "nvidiartx",
    "geforce",
    "geforcertx",
    "quadro",
    "quadrortx",
    "titan",
    "titanrtx",
)
REQUIREMENT = " ".join(
    ["cuda>=12.1", *(f"brand={brand},driver>={old},driver<{old + 1}" for old in BRANCHES for brand in BRANDS)]
)
ENV = (
    "PATH=/usr/local/nvidia/bin:/usr/local/cuda/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "NVARCH=x86_64",
    f"NVIDIA_REQUIRE_CUDA={REQUIREMENT}",
    "NV_CUDA_CUDART_VERSION=12.1.105-1",
    "NV_CUDA_COMPAT_PACKAGE=cuda-compat-12-1",
    "CUDA_VERSION=12.1.1",
    "LD_LIBRARY_PATH=/usr/local/nvidia/lib:/usr/local/nvidia/lib64",
    "NVIDIA_VISIBLE_DEVICES=all",
    "NVIDIA_DRIVER_CAPABILITIES=compute,utility",
)
IMAGES = {
    CUDA: {"Env": ENV, "Cmd": ["/bin/bash"], "WorkingDir": "/"},
    PAUSE: {"Env": [f"PATH={machine.PATH}"], "Cmd": ["sleep", "infinity"], "WorkingDir": "/"},
}

CUDART = "/usr/local/cuda-12.1/targets/x86_64-linux/lib"
FILES: hosts.Tree = {
    f"{CUDART}/libcudart.so.12.1.105": hosts.library("libcudart.so.12"),
    f"{CUDART}/libcudart.so.12": "-> libcudart.so.12.1.105",
    "/usr/local/cuda-12.1/lib64": "-> targets/x86_64-linux/lib",
    "/usr/local/cuda": "-> /etc/alternatives/cuda",
    "/etc/alternatives/cuda": "-> /usr/local/cuda-12.1",
    "/etc/ld.so.conf.d/nvidia.conf": "/usr/local/nvidia/lib\n/usr/local/nvidia/lib64\n",
    "/etc/ld.so.conf.d/000_cuda.conf": "/usr/local/cuda/targets/x86_64-linux/lib\n",
}


def cuda() -> str:
    """The cached archive of the image."""
    root = rootfs.debian_minimal()

    def build(folder: str) -> None:
        # Docker takes no layer that has a path twice, so the files are put together before.
        shutil.copytree(root, f"{folder}/files", symlinks=True)
        hosts.make(f"{folder}/files", FILES)
        argv = ["tar", "-C", f"{folder}/files", "-cf", f"{folder}/layer.tar", "."]
        subprocess.run(argv, check=True, timeout=120)
        shutil.rmtree(f"{folder}/files")
        _pack(folder)

    return f"{debian.cached('image-cuda', (root, IMAGES, sorted(FILES), 4), build)}/image.tar"


def _pack(folder: str) -> None:
    with open(f"{folder}/layer.tar", "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    manifest = []
    for tag, settings in IMAGES.items():
        name = f"{tag.replace('/', '-').replace(':', '-')}.json"
        _write(f"{folder}/{name}", _config(settings, digest))
        manifest.append({"Config": name, "RepoTags": [tag], "Layers": ["layer.tar"]})
    _write(f"{folder}/manifest.json", manifest)
    with tarfile.open(f"{folder}/image.tar", "w") as archive:
        for name in ("manifest.json", *(entry["Config"] for entry in manifest), "layer.tar"):
            archive.add(f"{folder}/{name}", name)
            os.unlink(f"{folder}/{name}")


def _config(settings: dict[str, Any], digest: str) -> dict[str, Any]:
    return {
        "architecture": "amd64",
        "os": "linux",
        "created": CREATED,
        "config": settings,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        "history": [{"created": CREATED, "created_by": "tests/engines/images.py"}],
    }


def _write(path: str, content: Any) -> None:
    with open(path, "w", encoding="ascii") as file:
        json.dump(content, file)
