"""Debian and Ubuntu: their own archives first, NVIDIA's where those have no driver for a GPU.

- Debian's drivers are in non-free, its kernel modules are built by DKMS (NvidiaGraphicsDrivers in Debian's wiki).
- Ubuntu's are in restricted and multiverse, those for servers are named ``-server``; modules are built by DKMS, or come
  built and signed by Canonical (https://documentation.ubuntu.com/server/how-to/graphics/install-nvidia-drivers/).
- NVIDIA's repository has a package with its key and its source, and ``nvidia-driver-pinning-NNN`` keeps to a branch
  (https://docs.nvidia.com/datacenter/tesla/driver-installation-guide/).
"""

from linkspan.setup import apt_sources
from linkspan.setup.look import Look
from linkspan.setup.way import CUDA, DKMS_KEY, Need, NoWay, Part, Way, install, kind

KEYRING = "cuda-keyring_1.1-1_all.deb"
CACHE = "/var/cache/apt/archives"
UBUNTU_KEY = "/var/lib/shim-signed/mok/MOK.der"
"""The key that Ubuntu's DKMS signs with; update-secureboot-policy(8) makes it."""
DEBIAN_BRANCHES = {"11": 470, "12": 535, "13": 550, "": 550}
"""By the versions of the package nvidia-driver; testing and unstable have no version of their own."""
UBUNTU_BRANCHES = {"20.04": 535, "22.04": 580, "24.04": 580, "25.10": 580, "26.04": 580}
"""The newest long-term branch for servers, by the source packages nvidia-graphics-drivers-NNN-server of each."""
UBUNTU_KEPLER = ("20.04", "22.04", "24.04")
"""Those with nvidia-graphics-drivers-470-server."""
REFRESH = "apt-get update"


def debian(look: Look, need: Need) -> Way:
    """Debian's own driver, or NVIDIA's."""
    version = look.distribution.version
    branch = DEBIAN_BRANCHES.get(version, 550)
    if need.last == 470 and version == "12":
        return _debian_470(look)
    if need.fits(branch) and not look.has_switch and not (need.is_open and version == "11"):
        return _debian_own(look, need, branch)
    if version in ("12", "13") and look.machine == "x86_64" and need.last != 470:
        return _nvidias(look, need)
    raise NoWay(
        f"Debian {version or look.distribution.codename} has driver {branch}, and NVIDIA has no packages that fit it:"
        f" {need.names} GPUs{' with an NVSwitch' if look.has_switch else ''} want {_wanted(need)}"
    )


def _wanted(need: Need) -> str:
    return f"branch {need.first} to {need.last}" if need.last else f"branch {need.first} or newer"


def _components(look: Look) -> tuple[str, ...]:
    since_12 = look.distribution.version not in ("11", "10")
    return ("contrib", "non-free", *(["non-free-firmware"] if since_12 else []))


def _sources(look: Look, names: tuple[str, ...]) -> Part:
    part = apt_sources.components(look.eyes, names)
    if part is None:
        raise NoWay("apt of this host reads no archive of its distribution: put one into /etc/apt/sources.list first")
    return part


def _headers(look: Look) -> tuple[str, ...]:
    return (f"linux-headers-{look.kernel}",)


def _debian_own(look: Look, need: Need, branch: int) -> Way:
    is_open = need.opened(branch)
    return Way(
        sentence=f"Debian's own driver {branch}, {kind(need, is_open)}",
        sources=(_sources(look, _components(look)),),
        headers=_headers(look),
        driver=(
            "nvidia-open-kernel-dkms" if is_open else "nvidia-kernel-dkms",
            *("libcuda1", "libnvidia-ml1", "libnvidia-encode1", "libnvcuvid1", "nvidia-smi", "nvidia-driver-bin"),
            "nvidia-modprobe",
        ),
        key=_debians_key(look),
        make_key="dkms generate_mok",
        build=f"dkms autoinstall -k {look.kernel}",
        persistence="nvidia-persistenced",
        nodes="nvidia-modprobe",
    )


def _debians_key(look: Look) -> str:
    """DKMS signs since version 3, which Debian has since 12."""
    return "" if look.distribution.version == "11" else DKMS_KEY


def _debian_470(look: Look) -> Way:
    stem = "nvidia-tesla-470"
    return Way(
        sentence="Debian's own driver 470, the last that knows Kepler GPUs",
        sources=(_sources(look, _components(look)),),
        headers=_headers(look),
        driver=(
            f"{stem}-kernel-dkms",
            *(f"lib{stem}-{part}" for part in ("cuda1", "ml1", "encode1", "nvcuvid1")),
            *(f"{stem}-smi", f"{stem}-driver-bin", "nvidia-modprobe"),
        ),
        key=_debians_key(look),
        make_key="dkms generate_mok",
        build=f"dkms autoinstall -k {look.kernel}",
        persistence="nvidia-persistenced",
        nodes="nvidia-modprobe",
    )


def _nvidias(look: Look, need: Need) -> Way:
    version = look.distribution.version
    pinned = need.last == 580
    is_open = need.opened(580)
    pin = ("nvidia-driver-pinning-580",) if pinned else ()
    return Way(
        sentence=f"NVIDIA's own driver for Debian, {'branch 580, ' if pinned else ''}{kind(need, is_open)}",
        sources=(_sources(look, ("contrib",)), _keyring(look, f"debian{version}")),
        headers=_headers(look),
        driver=(*pin, "nvidia-driver-cuda", "nvidia-kernel-open-dkms" if is_open else "nvidia-kernel-dkms"),
        install=(*(install(look, [name]) for name in pin), *_install_after_pin(look, is_open)),
        key=DKMS_KEY,
        make_key="dkms generate_mok",
        build=f"dkms autoinstall -k {look.kernel}",
        fabric=_fabric("nvidia-fabricmanager"),
        fabric_package="nvidia-fabricmanager",
        persistence="nvidia-persistenced",
        nodes="nvidia-modprobe",
    )


def _install_after_pin(look: Look, is_open: bool) -> tuple[str, ...]:
    module = "nvidia-kernel-open-dkms" if is_open else "nvidia-kernel-dkms"
    return (install(look, ["nvidia-driver-cuda", module]),)


def _keyring(look: Look, name: str) -> Part:
    """The package with NVIDIA's key and source; wget comes with it where neither it nor curl is there."""
    url = f"{CUDA}/{name}/x86_64/{KEYRING}"
    has_curl = look.scene.has("curl")
    fetch = f"curl -fsSLo {CACHE}/{KEYRING} {url}" if has_curl else f"wget -qO {CACHE}/{KEYRING} {url}"
    first = () if has_curl or look.scene.has("wget") else (install(look, ["ca-certificates", "wget"]),)
    there = look.installed("cuda-keyring") or bool(look.file_with("/etc/apt/sources.list.d/*", f"{CUDA}/{name}/"))
    return Part(
        name="NVIDIA's repository",
        done=there,
        commands=(*first, fetch, f"dpkg -i {CACHE}/{KEYRING}", REFRESH),
        undo=("apt-get purge -y cuda-keyring", REFRESH),
    )


def _fabric(package: str) -> tuple[str, ...]:
    return (f'apt-get install -y "{package}=$(modinfo -F version nvidia)*"',)


def ubuntu(look: Look, need: Need) -> Way:
    """Ubuntu's own driver for servers."""
    version = look.distribution.version
    branch = 470 if need.last == 470 else UBUNTU_BRANCHES.get(version, 580)
    if not need.fits(branch) or (branch == 470 and version not in UBUNTU_KEPLER):
        raise NoWay(
            f"Ubuntu {version} has no driver for {need.names} GPUs, which want {_wanted(need)}:"
            " take a release of Ubuntu that has one"
        )
    is_open = need.opened(branch) and branch >= 515
    return _ubuntu_with(look, branch, is_open, f"{branch}-server", kind(need, is_open))


def _ubuntu_with(look: Look, branch: int, is_open: bool, name: str, words: str) -> Way:
    """With Secure Boot the modules that Canonical built and signed, else those that DKMS builds for any kernel."""
    stem = f"{name}-open" if is_open else name
    flavour = look.kernel.rpartition("-")[2]
    built = (f"linux-modules-nvidia-{stem}-{look.kernel}", f"linux-modules-nvidia-{stem}-{flavour}")
    modules_ = (*built, f"nvidia-headless-no-dkms-{stem}") if look.secure_boot else (f"nvidia-headless-{stem}",)
    fabric = f"nvidia-fabricmanager-{branch}"
    return Way(
        sentence=f"Ubuntu's own driver {name} {words}"
        + (", built and signed by Canonical" if look.secure_boot else ", built by DKMS"),
        sources=(_sources(look, ("restricted", "universe", "multiverse")),),
        headers=() if look.secure_boot else _headers(look),
        driver=(*modules_, f"nvidia-utils-{name}", f"libnvidia-encode-{name}", f"libnvidia-decode-{name}"),
        signed_by="Canonical" if look.secure_boot else "",
        key="" if look.secure_boot else UBUNTU_KEY,
        make_key="update-secureboot-policy --new-key",
        build="" if look.secure_boot else f"dkms autoinstall -k {look.kernel}",
        fabric=_fabric(fabric),
        fabric_package=fabric,
        nodes="nvidia-modprobe",
    )
