"""The relatives of RHEL, Fedora and Amazon Linux.

- RHEL's take NVIDIA's repository, where a stream of the module ``nvidia-driver`` is chosen up to RHEL 9, and versions
  are locked since 10; ``nvidia-driver-cuda`` is the driver without a desktop
  (https://docs.nvidia.com/datacenter/tesla/driver-installation-guide/compute-only-and-desktop-installation.html,
  https://docs.nvidia.com/datacenter/tesla/driver-installation-guide/620/kernel-modules.html). DKMS is in EPEL
  (https://docs.fedoraproject.org/en-US/epel/getting-started/).
- Fedora takes RPM Fusion, whose akmods choose open or proprietary modules by the GPU, and sign them with a key of the
  host's (https://rpmfusion.org/Howto/NVIDIA, https://rpmfusion.org/Howto/Secure%20Boot).
- Amazon Linux 2023 has a repository of its own (https://docs.aws.amazon.com/linux/al2023/ug/nvidia-drivers.html).
"""

from linkspan.setup.look import ARCHITECTURES, Look
from linkspan.setup.way import CUDA, DKMS_KEY, Need, NoWay, Part, Way, install, kind, remove

AKMODS_KEY = "/etc/pki/akmods/certs/public_key.der"
EPEL = "https://dl.fedoraproject.org/pub/epel/epel-release-latest"
RPM_FUSION = "https://download1.rpmfusion.org"
REPOSITORIES = "/etc/yum.repos.d/*.repo"


def rhel(look: Look, need: Need) -> Way:
    """RHEL 8 to 10, and what is made from it."""
    major = look.distribution.major
    if major not in (8, 9, 10):
        raise NoWay(f"NVIDIA has no packages for {look.distribution.name}: its repositories begin with release 8")
    if need.last == 470 and major != 8:
        raise NoWay(f"NVIDIA has no driver 470, the last for {need.names}, for release {major}: take release 8")
    branch = need.last if need.last in (470, 580) else 0
    is_open = need.opened(branch or 600)
    choice = _stream(look, branch, is_open) if major < 10 else _lock(look, branch)
    packages = ("nvidia-driver-cuda", "kmod-nvidia-open-dkms" if is_open else "kmod-nvidia-latest-dkms")
    return Way(
        sentence=f"NVIDIA's own driver for RHEL {major}, {f'branch {branch}, ' if branch else ''}{kind(need, is_open)}",
        sources=(_epel(look, major), _repository(look, f"rhel{major}"), *choice),
        headers=(_devel(look), "gcc", "dkms"),
        driver=packages,
        key=DKMS_KEY,
        make_key="dkms generate_mok",
        build=f"dkms autoinstall -k {look.kernel}",
        fabric=_fabric(),
        fabric_package="nvidia-fabricmanager",
        persistence="nvidia-persistenced",
        nodes="nvidia-modprobe",
    )


def _devel(look: Look) -> str:
    """Oracle's own kernels have headers of their own, and so have those with pages of 64 KiB."""
    if look.kernel.endswith("+64k"):
        return f"kernel-64k-devel-{look.kernel.removesuffix('+64k')}"
    return f"kernel-uek-devel-{look.kernel}" if "uek" in look.kernel else f"kernel-devel-{look.kernel}"


def _epel(look: Look, major: int) -> Part:
    """RHEL itself has no package of it, all of its relatives have."""
    own = look.distribution.id
    package = f"oracle-epel-release-el{major}" if own == "ol" else "epel-release"
    source = f"{EPEL}-{major}.noarch.rpm" if own == "rhel" else package
    return Part(
        name="EPEL, for DKMS",
        done=look.installed(package) or bool(look.file_with(REPOSITORIES, "[epel]")) or look.installed("dkms"),
        commands=(install(look, [source]),),
        undo=(remove(look.distribution, [package]),),
    )


def _repository(look: Look, name: str) -> Part:
    """NVIDIA's repository for a distribution."""
    url = f"{CUDA}/{name}/{ARCHITECTURES.get(look.machine, 'x86_64')}/cuda-{name}.repo"
    return Part(
        name="NVIDIA's repository",
        done=bool(look.file_with(REPOSITORIES, f"{CUDA}/{name}/")),
        commands=(install(look, ["dnf-command(config-manager)"]), f"dnf config-manager --add-repo {url}"),
        undo=(f"rm -f /etc/yum.repos.d/cuda-{name}.repo",),
    )


def _stream(look: Look, branch: int, is_open: bool) -> tuple[Part, ...]:
    stream = f"{branch or 'latest'}-dkms" if not is_open else "open-dkms"
    chosen = look.file_with("/etc/dnf/modules.d/nvidia-driver.module", f"stream={stream}\n")
    return (
        Part(
            name=f"the module stream nvidia-driver:{stream}",
            done=bool(chosen),
            commands=("dnf module reset -y nvidia-driver", f"dnf module enable -y nvidia-driver:{stream}"),
            undo=("dnf module reset -y nvidia-driver",),
        ),
    )


def _lock(look: Look, branch: int) -> tuple[Part, ...]:
    if not branch:
        return ()
    pattern = f"*nvidia*{branch}*"
    lists = "/etc/dnf/plugins/versionlock.list"
    return (
        Part(
            name=f"a lock on driver branch {branch}",
            done=bool(look.file_with(lists, f"{pattern}\n")),
            commands=(install(look, ["dnf-command(versionlock)"]), f"dnf versionlock add '{pattern}'"),
            undo=(f"dnf versionlock delete '{pattern}'",),
        ),
    )


def _fabric() -> tuple[str, ...]:
    return ('dnf install -y "nvidia-fabricmanager-$(modinfo -F version nvidia)"',)


def fedora(look: Look, need: Need) -> Way:
    """Fedora, by RPM Fusion."""
    if look.has_switch:
        raise NoWay(
            "RPM Fusion has no Fabric Manager, which a host with an NVSwitch needs: Debian, Ubuntu, SUSE and RHEL have"
        )
    legacy = {470: "-470xx", 580: "-580xx", 610: "-580xx"}.get(need.last, "")
    version = look.distribution.version
    return Way(
        sentence=f"RPM Fusion's driver{f' {legacy[1:4]}' if legacy else ''}, whose akmod chooses the kernel modules"
        f" that suit {need.names} GPUs",
        sources=tuple(_rpm_fusion(look, part, version) for part in ("free", "nonfree")),
        headers=(f"kernel-devel-{look.kernel}", "gcc"),
        driver=(f"akmod-nvidia{legacy}", f"xorg-x11-drv-nvidia{legacy}-cuda"),
        install=(
            install(look, [f"akmod-nvidia{legacy}", f"xorg-x11-drv-nvidia{legacy}-cuda"]),
            f"akmods --force --kernels {look.kernel}",
        ),
        key=AKMODS_KEY,
        make_key="kmodgenca -a",
        build=f"akmods --force --kernels {look.kernel}",
        persistence="nvidia-persistenced",
        nodes="nvidia-modprobe",
    )


def _rpm_fusion(look: Look, part: str, version: str) -> Part:
    package = f"rpmfusion-{part}-release"
    return Part(
        name=f"RPM Fusion ({part})",
        done=look.installed(package) or bool(look.file_with(REPOSITORIES, f"[rpmfusion-{part}]")),
        commands=(install(look, [f"{RPM_FUSION}/{part}/fedora/{package}-{version}.noarch.rpm"]),),
        undo=(remove(look.distribution, [package]),),
    )


def amazon(look: Look, need: Need) -> Way:
    """Amazon Linux 2023."""
    if look.distribution.version != "2023":
        raise NoWay(
            "Amazon Linux 2 has no packages of the driver: take Amazon Linux 2023, or an image of Amazon's that has it"
        )
    if look.machine != "x86_64" or need.last == 470:
        raise NoWay(f"Amazon Linux 2023 has no driver for {need.names} GPUs on {look.machine}")
    is_open = need.opened(580)
    branch = "-580*" if need.last else ""
    module = "kmod-nvidia-open-dkms" if is_open else "kmod-nvidia-latest-dkms"
    return Way(
        sentence=f"Amazon's packages of NVIDIA's driver, {'branch 580, ' if branch else ''}{kind(need, is_open)}",
        sources=(
            Part(
                name="Amazon's repository of NVIDIA's packages",
                done=bool(look.file_with(REPOSITORIES, "[amazonlinux-nvidia]")),
                commands=(install(look, ["nvidia-release"]),),
                undo=(remove(look.distribution, ["nvidia-release"]),),
            ),
        ),
        headers=(f"kernel-devel-{look.kernel}", f"kernel-headers-{look.kernel}"),
        driver=("nvidia-driver-cuda", module),
        install=(install(look, [f"nvidia-driver-cuda{branch}", f"{module}{branch}"]),),
        key=DKMS_KEY,
        make_key="dkms generate_mok",
        build=f"dkms autoinstall -k {look.kernel}",
        fabric=_fabric(),
        fabric_package="nvidia-fabricmanager",
        persistence="nvidia-persistenced",
        nodes="nvidia-modprobe",
    )
