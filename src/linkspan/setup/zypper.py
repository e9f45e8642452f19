"""SLES, openSUSE Leap and Tumbleweed.

SUSE builds and signs the open modules, in versions that fit NVIDIA's CUDA repository; the user space then has to be of
that version, too. GPUs before Turing take the proprietary G06 packages of NVIDIA's other repository
("Installation of NVIDIA drivers on openSUSE and SLE (G07)" on https://sndirsch.github.io, by SUSE's maintainer of them;
https://en.opensuse.org/SDB:NVIDIA_drivers;
https://documentation.suse.com/suse-ai/1.0/html/NVIDIA-GPU-driver-on-SLES/index.html).
"""

from linkspan.setup.look import ARCHITECTURES, Look
from linkspan.setup.way import CUDA, Need, NoWay, Part, Way, install, kind

GRAPHICS = "https://download.nvidia.com"
REPOSITORIES = "/etc/zypp/repos.d/*.repo"
SIGNED = "nvidia-open-driver-G07-signed-cuda-kmp"
UTILITIES = "nvidia-compute-utils-G07"
LEGACY = ("nvidia-driver-G06-kmp-meta", "nvidia-compute-utils-G06")
_LICENCE = "--auto-agree-with-licenses"
FLAVOURS = ("default", "azure", "64kb")
"""Of kernels, for which SUSE builds the modules."""


def suse(look: Look, need: Need) -> Way:
    """The modules that SUSE signed, for Turing and newer; NVIDIA's proprietary ones for older GPUs."""
    own, major = look.distribution.id, look.distribution.major
    if own != "opensuse-tumbleweed" and major not in (15, 16):
        raise NoWay(f"there are no packages of the driver for {look.distribution.name}: they begin with release 15")
    if need.last == 470:
        raise NoWay(f"SUSE has no driver 470, the last for {need.names} GPUs: take Debian 12 or Ubuntu 24.04")
    if need.last:
        return _legacy(look, need)
    signed = f"{SIGNED}-{_flavour(look)}"
    version = _version(signed)
    fabric = f'{version} && {install(look, [_LICENCE])} "nvidia-fabricmanager=$version"'
    return Way(
        sentence=f"the driver that SUSE built and signed, {kind(need, True)}",
        sources=(_repository(look, "cuda", f"{CUDA}/{_name(look)}/{ARCHITECTURES.get(look.machine, 'x86_64')}/"),),
        driver=(signed, UTILITIES, "nvidia-persistenced"),
        install=(
            install(look, [_LICENCE, signed]),
            f'{version} && {install(look, [_LICENCE])} "{UTILITIES}=$version" "nvidia-persistenced=$version"',
        ),
        signed_by="SUSE",
        fabric=(fabric,),
        fabric_package="nvidia-fabricmanager",
        persistence="nvidia-persistenced",
        nodes="nvidia-modprobe",
    )


def _flavour(look: Look) -> str:
    flavour = look.kernel.rpartition("-")[2]
    return flavour if flavour in FLAVOURS else "default"


def _version(package: str) -> str:
    """Take the driver's version, which the package has before that of its kernel: ``595.91_k6.4.0_150600``."""
    return f'version="$(rpm -q --qf "%{{VERSION}}\\n" {package} | cut -d_ -f1 | sort -u | tail -n 1)"'


def _name(look: Look) -> str:
    """What NVIDIA calls the distribution."""
    if look.distribution.major == 15:
        return "sles15" if look.distribution.id.startswith("sle") else "opensuse15"
    return "suse16"


def _repository(look: Look, name: str, url: str) -> Part:
    return Part(
        name="NVIDIA's repository",
        done=bool(look.file_with(REPOSITORIES, url.rstrip("/"))),
        commands=(
            f"zypper --non-interactive addrepo {url} {name}",
            "zypper --non-interactive --gpg-auto-import-keys refresh",
        ),
        undo=(f"zypper --non-interactive removerepo {name}",),
    )


def _legacy(look: Look, need: Need) -> Way:
    if look.has_switch:
        raise NoWay(
            f"SUSE has no Fabric Manager for the proprietary driver that {need.names} GPUs need: take Ubuntu or RHEL"
        )
    return Way(
        sentence=f"NVIDIA's driver 580 for SUSE, {kind(need, False)}",
        sources=(_repository(look, "nvidia", f"{GRAPHICS}/{_folder(look)}/"),),
        headers=(),
        driver=LEGACY,
        install=(install(look, [_LICENCE, *LEGACY]),),
        signed_by="",
        persistence="nvidia-persistenced",
        nodes="nvidia-modprobe",
    )


def _folder(look: Look) -> str:
    own, version = look.distribution.id, look.distribution.version
    if own == "opensuse-tumbleweed":
        return "opensuse/tumbleweed"
    if own.startswith("opensuse"):
        return f"opensuse/leap/{version}"
    major, _, pack = version.partition(".")
    return f"suse/sle{major}sp{pack}" if major == "15" else f"suse/sle{major}"
