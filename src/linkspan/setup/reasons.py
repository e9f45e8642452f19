"""Hosts that get no plan, each in a sentence: what this is, and how the driver comes there instead."""

from linkspan.setup.look import Look

IMAGES = {
    "cos": "Container-Optimized OS gets its driver by 'cos-extensions install gpu', on GKE by its node pool",
    "bottlerocket": "Bottlerocket has its driver in its image: take a variant whose name ends with -nvidia",
    "talos": "Talos gets its driver as system extensions of its boot image: those named nvidia-open-gpu-kernel-modules"
    " or nonfree-kmod-nvidia, in the version of Talos",
    "flatcar": "Flatcar gets its driver as a system extension: name nvidia-drivers-NNN in"
    " /etc/flatcar/enabled-sysext.conf",
    "nixos": "NixOS gets its driver by its configuration: services.xserver.videoDrivers = [ \"nvidia\" ] and"
    " hardware.nvidia.open, then nixos-rebuild",
    "fedora-coreos": "Fedora CoreOS gets its driver by layered packages of RPM Fusion: rpm-ostree install akmod-nvidia",
    "bluefin": "Bluefin has its driver in its image: rebase to the image whose name ends with -nvidia or -nvidia-open",
    "bazzite": "Bazzite has its driver in its image: rebase to bazzite-nvidia or bazzite-nvidia-open",
    "aurora": "Aurora has its driver in its image: rebase to the image whose name ends with -nvidia or -nvidia-open",
    "ubuntu-core": "Ubuntu Core gets its driver as snaps of its kernel: see the snap nvidia-core22 or its like",
    "rhcos": "RHEL CoreOS gets its driver from NVIDIA's GPU operator, which builds it in a container",
    "rhel-coreos": "RHEL CoreOS gets its driver from NVIDIA's GPU operator, which builds it in a container",
    "sle-micro": "SLE Micro gets its driver by 'transactional-update pkg install', from SUSE's signed open driver",
    "sl-micro": "SL Micro gets its driver by 'transactional-update pkg install', from SUSE's signed open driver",
}  # fmt: skip
"""By the id of the distribution, from the documentation of each."""
_OSTREE = "{name} is replaced as a whole: its driver comes by 'rpm-ostree install akmod-nvidia', or with another image"
_TRANSACTIONAL = "{name} is replaced as a whole: its driver comes by 'transactional-update pkg install'"


def against(look: Look) -> str:
    """Why there is no plan for this host, empty where one can be made."""
    if look.container:
        return f"this is a container ({look.container}), which has the driver of its host: set up that"
    if look.is_wsl:
        return (
            "this is WSL2, whose driver comes from Windows and is never installed here: update it there, then run"
            " 'linkspan install' and 'linkspan cdi refresh'"
        )
    if look.is_tegra:
        return "this is a Jetson, whose driver comes with JetPack: see https://docs.nvidia.com/jetson"
    if look.distribution.family == "image":
        return image(look.distribution.id, look.distribution.name)
    return _about_gpus(look)


def _about_gpus(look: Look) -> str:
    gpus = look.scene.gpus_by_pci
    if not gpus:
        return (
            "no NVIDIA GPU is on the PCI bus of this host: look with 'lspci -d 10de:'; a virtual machine has one only"
            " where its host passes it through"
        )
    if all(gpu.driver == "vfio-pci" for gpu in gpus):
        return "the GPUs of this host are kept for virtual machines (vfio-pci holds them): set up those"
    return ""


def image(own: str, name: str) -> str:
    """How the driver comes to a distribution that is replaced as a whole."""
    if own in IMAGES:
        return IMAGES[own]
    return (_TRANSACTIONAL if "suse" in own else _OSTREE).format(name=name)
