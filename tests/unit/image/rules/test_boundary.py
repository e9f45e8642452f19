"""Rules of the boundary: what of an image is the host's."""

import pytest

from linkspan.formats import rpmdb
from linkspan.image.model import Entry, Layer
from linkspan.image.registry import findings
from tests.unit.image.images import debian, file, folder, image, library, link, node, program, rpm, script, text, wheel
from tests.unit.image.rules.cases import Case, ask, ids, judge

_LIB = "/usr/lib/x86_64-linux-gnu"
_COMPAT = "/usr/local/cuda-12.4/compat"
_STUBS = "/usr/local/cuda-12.4/targets/x86_64-linux/lib/stubs"


def _stub(path: str, soname: str = "libcuda.so.1") -> Entry:
    return library(path, size=32_000, soname=soname)


_DRIVER_SCRIPT = script("/usr/local/bin/nvidia-driver", "#!/bin/bash\n")
CASES = (
    Case(
        "I-BOUNDARY-1",
        image(library(f"{_LIB}/libcuda.so.550.54.14", soname="libcuda.so.1")),
        image(
            library(f"{_COMPAT}/libcuda.so.550.54.14", soname="libcuda.so.1"),
            _stub(f"{_STUBS}/libcuda.so"),
            library("/usr/lib/libcudart.so.12.4.127", soname="libcudart.so.12"),
            library("/usr/lib/libnvidia-egl-gbm.so.1.1.0", soname="libnvidia-egl-gbm.so.1"),
            library("/usr/lib/libarrow.so.900.0.0", soname="libarrow.so.900"),
            library("/usr/lib/libnvidia-container.so.1.17.0", soname="libnvidia-container.so.1"),
            file("/usr/share/doc/libcuda.so.txt"),
        ),
    ),
    Case(
        "I-BOUNDARY-2",
        image(file(f"{_LIB}/libcuda.so.550.54.14", 0)),
        image(
            file("/usr/lib/python3/dist-packages/nvidia/__init__.py", 0),
            file("/usr/lib/aarch64-linux-gnu/tegra/libcuda.so.1.1", 0),
            file("/usr/lib/libcudart.so.12", 0),
        ),
    ),
    Case(
        "I-BOUNDARY-3",
        image(link(f"{_LIB}/libcuda.so.1", "libcuda.so.550.54.14")),
        image(
            link(f"{_LIB}/libcuda.so", "libcuda.so.1"),
            link(f"{_COMPAT}/libcuda.so.1", "libcuda.so.550.54.14"),
            library(f"{_COMPAT}/libcuda.so.550.54.14"),
        ),
    ),
    Case(
        "I-BOUNDARY-4",
        image(_stub(f"{_STUBS}/libcuda.so"), link(f"{_LIB}/libcuda.so.1", f"{_STUBS}/libcuda.so")),
        image(_stub(f"{_STUBS}/libcuda.so"), link(f"{_STUBS}/libcuda.so.1", "libcuda.so")),
    ),
    Case(
        "I-BOUNDARY-5",
        image(program("/usr/bin/nvidia-smi")),
        image(
            file("/usr/share/bash-completion/completions/nvidia-smi", mode=0o755),
            folder("/usr/share/doc/nvidia-smi"),
            script("/usr/local/bin/nvidia-smi", "#!/usr/bin/env python3"),
            file("/etc/nvidia-persistenced", mode=0o644),
        ),
    ),
    Case(
        "I-BOUNDARY-6",
        image(file("/tmp/NVIDIA-Linux-x86_64-550.54.14.run", 300_000_000)),
        image(file("/opt/app/install.run"), file("/tmp/cuda_12.4.1_samples.txt")),
    ),
    Case(
        "I-BOUNDARY-7",
        image(file("/var/log/nvidia-installer.log")),
        image(file("/var/log/dpkg.log"), file("/usr/share/doc/nvidia-cuda/README")),
    ),
    Case(
        "I-BOUNDARY-8",
        image(file("/lib/modules/6.1.0-18-amd64/updates/dkms/nvidia-uvm.ko.xz")),
        image(file("/usr/share/vim/vim90/tutor/tutor.ko"), folder("/lib/modules/nvidia.ko")),
    ),
    Case(
        "I-BOUNDARY-9",
        image(file("/usr/src/nvidia-550.54.14/dkms.conf")),
        image(file("/usr/src/app/nvidia.c"), file("/usr/src/python3.12/Makefile")),
    ),
    Case(
        "I-BOUNDARY-10",
        image(file("/usr/lib/firmware/nvidia/550.54.14/gsp_ga10x.bin", 60_000_000)),
        image(file("/usr/lib/firmware/nvidia/ga102/gsp/gsp-535.113.01.bin", 30_000_000)),
    ),
    Case(
        "I-BOUNDARY-11",
        image(debian("libcuda1", "libc6")),
        image(
            debian("libc6", "cuda-cudart-12-4", "cuda-compat-12-4", "libnvidia-container1", "libcudart12", "libnvvm4"),
            wheel("nvidia_smi", "0.1.3"),
            wheel("nvidia_ml_py", "12.535.133"),
        ),
    ),
    Case(
        "I-BOUNDARY-12",
        image(debian("cuda-runtime-12-4")),
        image(debian("cuda-libraries-12-4", "cuda-keyring", "cuda-toolkit-12-4-config-common")),
    ),
    Case(
        "I-BOUNDARY-13",
        image(program("/usr/bin/nvidia-ctk")),
        image(file("/usr/share/doc/nvidia-ctk", mode=0o644), folder("/etc/nvidia-container-runtime")),
    ),
    Case(
        "I-BOUNDARY-14",
        image(node("/dev/nvidia0"), node("/dev/nvidiactl")),
        image(node("/dev/null"), folder("/dev/nvidia-caps"), folder("/dev/dri")),
    ),
    Case(
        "I-BOUNDARY-15",
        image(file("/run/nvidia-persistenced/socket", 0)),
        image(folder("/run/nvidia-persistenced"), file("/run/lock/app")),
    ),
    Case(
        "I-BOUNDARY-16",
        image(text("/etc/ld.so.conf.d/00-compat-4051.conf", "/usr/local/cuda/compat\n")),
        image(text("/etc/ld.so.conf.d/nvidia.conf", "/usr/local/cuda/lib64\n")),
    ),
    Case(
        "I-BOUNDARY-17",
        image(library(f"{_COMPAT}/libcuda.so.550.54.14"), library(f"{_COMPAT}/libcuda.so.535.54.03")),
        image(
            library(f"{_COMPAT}/libcuda.so.550.54.14"),
            link(f"{_COMPAT}/libcuda.so.1", "libcuda.so.550.54.14"),
            library("/usr/local/cuda-12.2/compat/libcuda.so.535.54.03"),
        ),
    ),
    Case(
        "I-BOUNDARY-18",
        image(file("/etc/modprobe.d/nvidia.conf")),
        image(file("/etc/modprobe.d/dist.conf", 0), file("/usr/lib/systemd/system/ssh.service")),
    ),
    Case(
        "I-BOUNDARY-19",
        image(_DRIVER_SCRIPT, entrypoint=("nvidia-driver", "init")),
        image(_DRIVER_SCRIPT, entrypoint=("/app/serve",)),
    ),
)


def test_an_image_that_brings_the_driver_to_its_host_is_told_so_once_and_not_judged_by_what_is_its_task():
    driver = library("/usr/lib/x86_64-linux-gnu/libcuda.so.550.54.15", soname="libcuda.so.1")
    parts = (driver, _DRIVER_SCRIPT, file("/lib/modules/6.1.0/nvidia.ko"))
    told = [one.id for one in findings(image(*parts, entrypoint=("nvidia-driver", "init"))) if one.area == "boundary"]
    assert told == ["I-BOUNDARY-19"]
    others = [one.id for one in findings(image(*parts, cmd=("bash",))) if one.area == "boundary"]
    assert "I-BOUNDARY-1" in others
    assert "I-BOUNDARY-19" not in others


def test_the_hooks_of_debians_clean_up_package_are_no_traces_of_the_installer():
    hook = file("/usr/lib/nvidia/pre-install")
    assert ask("I-BOUNDARY-7", image(hook))
    assert not ask("I-BOUNDARY-7", image(hook, file("/var/lib/dpkg/info/nvidia-installer-cleanup.list")))


@pytest.mark.parametrize("folder", ["nvidia-tesla-470-470.256.02", "nvidia-current-535.261.03", "nvidia-open-550.1"])
def test_the_modules_sources_are_known_by_each_of_debians_names(folder: str):
    assert ask("I-BOUNDARY-9", image(file(f"/usr/src/{folder}/nvidia/nv-kernel.o_binary")))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_a_rule_of_the_boundary_tells_its_fault_from_what_only_looks_like_it(case: Case):
    judge(case)


def test_every_rule_of_the_boundary_has_its_fixtures():
    assert {case.rule for case in CASES} == ids("boundary")


def test_a_library_of_the_driver_is_known_by_its_own_name_under_another_one():
    (finding,) = ask("I-BOUNDARY-1", image(library("/opt/app/lib/libgpu.so", soname="libcuda.so.1")))
    assert finding.paths == ("/opt/app/lib/libgpu.so",)


def test_a_driver_in_two_layers_is_told_for_each_with_what_brought_it_and_its_bytes():
    layers = (Layer(number=0), Layer(number=1, digest="sha256:ab", command="RUN apt-get install nvidia-utils-550"))
    both = (
        library(f"{_LIB}/libcuda.so.550.54.14", size=30_000),
        library(f"{_LIB}/libnvidia-ml.so.550.54.14", size=7_000, layer=1),
    )
    first, second = ask("I-BOUNDARY-1", image(*both, layers=layers))
    assert (first.layer, first.bytes) == (0, 30_000)
    assert (second.layer, second.bytes, second.layer_digest) == (1, 7_000, "sha256:ab")
    assert second.layer_command == "RUN apt-get install nvidia-utils-550"


def test_an_empty_file_is_left_over_too_where_a_store_made_it_one_with_others():
    linked = file(f"{_LIB}/libcuda.so.550.54.14", 0, target="/opt/app/empty")
    (finding,) = ask("I-BOUNDARY-2", image(file("/opt/app/empty", 0), linked))
    assert finding.paths == (linked.path,)


def test_an_empty_file_is_what_a_start_left_and_not_a_driver():
    left = image(file("/usr/bin/nvidia-smi", 0), file(f"{_LIB}/libnvidia-ml.so.1", 0))
    assert ask("I-BOUNDARY-2", left)[0].paths == ("/usr/bin/nvidia-smi", f"{_LIB}/libnvidia-ml.so.1")
    assert not ask("I-BOUNDARY-1", left)
    assert not ask("I-BOUNDARY-5", left)


@pytest.mark.parametrize(
    "path",
    [
        "/usr/share/glvnd/egl_vendor.d/10_nvidia.json",
        "/etc/vulkan/icd.d/nvidia_icd.json",
        "/usr/lib/firmware/nvidia/550.54.14/gsp_ga10x.bin",
        "/usr/lib/xorg/modules/drivers/nvidia_drv.so",
        "/usr/bin/nvidia-cuda-mps-server",
    ],
)
def test_whatever_a_start_mounts_is_left_empty_behind_it(path: str):
    assert ask("I-BOUNDARY-2", image(file(path, 0)))


def test_parts_of_a_driver_without_a_version_in_their_names_are_known():
    names = ("/usr/lib/xorg/modules/drivers/nvidia_drv.so", "/usr/lib/wsl/lib/libdxcore.so")
    assert set(ask("I-BOUNDARY-1", image(*map(library, names)))[0].paths) == set(names)


def test_a_stub_that_was_copied_to_the_name_of_the_driver_is_found_by_its_size_and_name():
    copied = image(_stub(f"{_LIB}/libnvidia-ml.so.1", "libnvidia-ml.so.1"))
    assert ask("I-BOUNDARY-4", copied)
    assert not ask("I-BOUNDARY-1", copied)


def test_other_modules_of_a_kernel_are_a_warning():
    (finding,) = ask("I-BOUNDARY-8", image(file("/lib/modules/6.1.0/kernel/fs/ext4/ext4.ko")))
    assert finding.severity == "warning"


@pytest.mark.parametrize(
    "name",
    [
        *("libnvidia-compute-550-server", "nvidia-utils-550", "nvidia-driver-550-open", "nvidia-dkms-550"),
        *("libnvidia-ml1", "libnvidia-tesla-535-cuda1", "nvidia-tesla-470-kernel-dkms", "nvidia-legacy-390xx-driver"),
        *("nvidia-smi", "nvidia-kernel-dkms", "nvidia-open-kernel-dkms", "cuda-drivers-550", "nvidia-open"),
        *("nvidia-driver-cuda-libs", "kmod-nvidia-open-dkms", "nvidia-compute-G06", "xorg-x11-drv-nvidia-cuda-libs"),
        *("nvidia-open-driver-G06-signed-kmp-default", "nvidia-drivers-G06", "nvidia-computeG05", "libcuda"),
        *("nvidia-kmod-common", "xorg-x11-nvidia", "nvidia-fabric-manager", "libnvidia-ml", "nvidia-compute-utils-G07"),
        *("nvidia-modprobe", "nvidia-persistenced", "nvidia-fabricmanager-550", "libnvidia-nscq-550"),
        *("linux-modules-nvidia-550-generic", "xserver-xorg-video-nvidia-550", "libgl1-nvidia-glvnd-glx"),
        *("libegl-nvidia-tesla-535-0", "libgles-nvidia-legacy-390xx1", "nvidia-tesla-418-nonglvnd-vulkan-icd"),
        *("nvidia-headless-550-server", "nvidia-headless-no-dkms-550", "nvidia-firmware-550-550.54.14"),
    ],
)
def test_packages_of_the_driver_are_known_by_the_names_that_distributions_give_them(name: str):
    assert ask("I-BOUNDARY-11", image(rpm(name)))


@pytest.mark.parametrize(
    "name",
    [
        *(
            "cuda-compat-12-4",
            "cuda-cudart-12-4",
            "libcublas-12-4",
            "libnccl2",
            "libcudnn9-cuda-12",
            "cuda-nvml-dev-12-4",
        ),
        *(
            "nvidia-container-toolkit",
            "libnvidia-container-tools",
            "nvidia-cuda-dev",
            "nvidia-cuda-toolkit",
            "nvidia-cudnn",
        ),
        *(
            "libnvidia-egl-wayland1",
            "libnvjitlink-12-4",
            "datacenter-gpu-manager",
            "nvidia-libcublas-12.4",
            "libcudart12",
        ),
    ],
)
def test_packages_of_cuda_and_of_tools_are_not_the_driver(name: str):
    assert not ask("I-BOUNDARY-11", image(debian(name)))


@pytest.mark.parametrize("base", rpmdb.NAMES)
def test_packages_are_known_in_every_form_of_rpms_database(base: str):
    (finding,) = ask("I-BOUNDARY-11", image(rpm("glibc", "nvidia-driver-cuda-libs", base=base)))
    assert finding.cause == "packages of the driver are installed by rpm: nvidia-driver-cuda-libs"


def test_a_package_names_the_layer_that_installed_it_and_one_that_was_removed_is_none():
    layers = (Layer(number=0), Layer(number=1, command="RUN apt-get install -y libcuda1"), Layer(number=2))
    status = (
        "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36-9\n\n"
        "Package: libcuda1\nStatus: install ok installed\nArchitecture: amd64\nVersion: 535.1-1\n"
        "Description: a driver\n more of it\n\n"
        "Package: nvidia-smi\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 535.1-1\n"
    )
    entries = (
        text("/var/lib/dpkg/status", status, layer=2),
        file("/var/lib/dpkg/info/libcuda1:amd64.list", layer=1),
    )
    known = {"/var/lib/dpkg/status": {"libc6 2.36-9": 0, "libcuda1 535.1-1": 1}}
    (finding,) = ask("I-BOUNDARY-11", image(*entries, layers=layers, arrivals=known))
    assert finding.cause == "packages of the driver are installed by dpkg: libcuda1"
    assert finding.layer_command == "RUN apt-get install -y libcuda1"


def test_packages_of_apk_and_conda_are_read_too():
    database = text("/lib/apk/db/installed", "C:Q1\nP:musl\nV:1.2\n\nC:Q2\nP:nvidia-driver\nV:550\n")
    assert ask("I-BOUNDARY-11", image(database))[0].cause.endswith("by apk: nvidia-driver")
    conda = file("/opt/conda/conda-meta/nvidia-driver-550.54.14-h0_0.json")
    assert ask("I-BOUNDARY-11", image(conda))[0].cause.endswith("by conda: nvidia-driver")


def test_braces_in_the_names_of_files_do_no_harm():
    (finding,) = ask("I-BOUNDARY-5", image(program("/opt/{0.__class__}/nvidia-smi")))
    assert finding.paths == ("/opt/{0.__class__}/nvidia-smi",)
