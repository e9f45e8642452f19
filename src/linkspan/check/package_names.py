"""What the packages of the GPU stack are called, by family of distributions and what they are wanted for.

Only names that the distribution's own documentation, or that of the driver's repository for it, gives.
"""

from typing import Literal

Family = Literal["debian", "ubuntu", "rhel", "fedora", "suse", "amazon", "image", "other"]
"""What has the same package manager, repositories and package names; ``image``: the system is replaced as a whole."""

Purpose = Literal[
    "headers",
    "dkms",
    "driver",
    "open-driver",
    "compute",
    "graphics",
    "video",
    "fabric-manager",
    "persistence",
    "modprobe",
    "mokutil",
    "docker",
    "podman",
    "containerd",
    "crun",
    "runc",
]
"""What a package is wanted for.

``headers``: to build modules for the kernel that runs; ``driver``: kernel module and user space; ``compute``: libcuda,
NVML and nvidia-smi; ``graphics``: OpenGL, EGL and Vulkan; ``video``: encoder and decoder; ``modprobe``: the program
that loads the module and makes the device nodes.
"""

_DEBIAN: dict[Purpose, str] = {
    "headers": "linux-headers-{kernel}",
    "dkms": "dkms",
    "driver": "nvidia-driver firmware-misc-nonfree",
    "open-driver": "nvidia-open-kernel-dkms nvidia-driver firmware-misc-nonfree",
    "compute": "libcuda1 libnvidia-ml1 nvidia-smi",
    "graphics": "nvidia-driver-libs",
    "video": "libnvidia-encode1 libnvcuvid1",
    "persistence": "nvidia-persistenced",
    "modprobe": "nvidia-modprobe",
    "mokutil": "mokutil",
    "docker": "docker.io",
    "podman": "podman",
    "containerd": "containerd",
    "crun": "crun",
    "runc": "runc",
}
_UBUNTU: dict[Purpose, str] = _DEBIAN | {
    "driver": "nvidia-driver-{branch}",
    "open-driver": "nvidia-driver-{branch}-open",
    "compute": "libnvidia-compute-{branch} nvidia-utils-{branch}",
    "graphics": "libnvidia-gl-{branch}",
    "video": "libnvidia-encode-{branch} libnvidia-decode-{branch}",
    "fabric-manager": "nvidia-fabricmanager-{number}",
    "persistence": "nvidia-compute-utils-{branch}",
}
_RPM: dict[Purpose, str] = {
    "headers": "kernel-devel-{kernel}",
    "dkms": "dkms",
    "compute": "nvidia-driver-cuda",
    "graphics": "nvidia-driver-libs",
    "persistence": "nvidia-persistenced",
    "modprobe": "nvidia-modprobe",
    "mokutil": "mokutil",
    "podman": "podman",
    "crun": "crun",
    "runc": "runc",
}
PACKAGES: dict[Family, dict[Purpose, str]] = {
    "debian": _DEBIAN,
    "ubuntu": _UBUNTU,
    "rhel": _RPM,
    "fedora": _RPM | {"docker": "moby-engine", "containerd": "containerd"},
    "amazon": {purpose: names for purpose, names in _RPM.items() if purpose not in ("podman", "crun")}
    | {
        "headers": "kernel-devel-{kernel} kernel-headers-{kernel}",
        "docker": "docker",
        "containerd": "containerd",
        "runc": "runc",
    },
    "suse": {
        "headers": "kernel-{flavour}-devel={kernel}",
        "dkms": "dkms",
        "mokutil": "mokutil",
        "docker": "docker",
        "podman": "podman",
        "containerd": "containerd",
        "crun": "crun",
        "runc": "runc",
    },
}
"""By family and purpose; what stands in braces is filled in by ``distribution``."""
