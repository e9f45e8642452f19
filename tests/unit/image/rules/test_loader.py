"""Rules on what the loader will find in an image."""

import pytest

from tests.unit.image.images import SITE, SYSTEM, TOOLKIT, debian, file, image, library, link, program, text, wheel
from tests.unit.image.rules.cases import Case, ask, ids, judge

AREA = "loader"
_LOADER = library("/lib64/ld-linux-x86-64.so.2", soname="ld-linux-x86-64.so.2")
_LIBC = library(f"{SYSTEM}/libc.so.6", soname="libc.so.6")
_BASE = (_LOADER, _LIBC)
_CUBLAS = library(f"{TOOLKIT}/libcublas.so.12.4.5.8", "libc.so.6", soname="libcublas.so.12")
_NVIDIA = f"{SITE}/nvidia"
_WHEELS = (
    library(f"{_NVIDIA}/cusparse/lib/libcusparse.so.12", "libnvJitLink.so.12", runpath="$ORIGIN/../../nvjitlink/lib"),
    library(f"{_NVIDIA}/nvjitlink/lib/libnvJitLink.so.12", soname="libnvJitLink.so.12"),
    wheel("nvidia-cuda-runtime-cu12", "12.8.90"),
    library(f"{TOOLKIT}/libnvJitLink.so.12.4.127", soname="libnvJitLink.so.12"),
    link(f"{TOOLKIT}/libnvJitLink.so.12", "libnvJitLink.so.12.4.127"),
)


def _asking(symbol: str, library: str = "libc.so.6"):
    return program("/app/tool", library, versions={library: ("GLIBC_2.2.5", symbol)})


CASES = (
    Case(
        "I-LOADER-1",
        image(*_BASE, program("/app/tool", "libopencv_core.so.4", "libc.so.6")),
        image(
            *_BASE,
            program("/app/tool", "libcuda.so.1", "libnvidia-ml.so.1", "libc.so.6"),
            library("/usr/lib/python3.11/lib-dynload/_tkinter.so", "libtk8.6.so"),
        ),
    ),
    Case(
        "I-LOADER-2",
        image(*_BASE, program("/app/tool", "libmine.so"), library("/app/lib/libmine.so")),
        image(*_BASE, program("/app/tool", "libmine.so", runpath="$ORIGIN/lib"), library("/app/lib/libmine.so")),
    ),
    Case(
        "I-LOADER-3",
        image(_asking("GLIBC_2.38"), debian(libc6="2.35-0ubuntu3.8")),
        image(_asking("GLIBC_2.34"), debian(libc6="2.35-0ubuntu3.8")),
    ),
    Case(
        "I-LOADER-4",
        image(
            _asking("GLIBCXX_3.4.32", "libstdc++.so.6"),
            library(f"{SYSTEM}/libstdc++.so.6.0.30"),
            link(f"{SYSTEM}/libstdc++.so.6", "libstdc++.so.6.0.30"),
        ),
        image(
            _asking("GLIBCXX_3.4.30", "libstdc++.so.6"),
            library(f"{SYSTEM}/libstdc++.so.6.0.30"),
            link(f"{SYSTEM}/libstdc++.so.6", "libstdc++.so.6.0.30"),
        ),
    ),
    Case(
        "I-LOADER-5",
        image(
            _CUBLAS,
            text("/etc/ld.so.conf.d/cuda.conf", f"{TOOLKIT}\n"),
            text("/etc/ld.so.cache", f"libc.so.6 => {SYSTEM}/libc.so.6\n"),
        ),
        image(
            _CUBLAS,
            text("/etc/ld.so.conf.d/cuda.conf", f"{TOOLKIT}\n"),
            text("/etc/ld.so.cache", f"libcublas.so.12 => {TOOLKIT}/libcublas.so.12\n"),
        ),
    ),
    Case(
        "I-LOADER-6",
        image(library("/app/libmine.so", runpath="/home/build/out/lib")),
        image(library("/home/me/app/libmine.so", runpath="$ORIGIN/../lib:/home/me/app")),
    ),
    Case(
        "I-LOADER-7",
        image(library("/lib/ld-musl-x86_64.so.1"), _CUBLAS),
        image(_LOADER, library("/usr/lib/musl/ld-musl-x86_64.so.1"), _CUBLAS),
    ),
    Case(
        "I-LOADER-8",
        image(*_BASE, library("/app/tool", machine=183)),
        image(library("/app/tool", machine=183), library("/app/gpu.cubin", machine=190), architecture="arm64"),
    ),
    Case(
        "I-LOADER-9",
        image(*_WHEELS, env=(f"LD_LIBRARY_PATH={TOOLKIT}",)),
        image(*_WHEELS),
    ),
    Case(
        "I-LOADER-10",
        image(library("/lib/ld-musl-x86_64.so.1"), program("/app/tool", "libc.so.6")),
        image(
            program("/app/tool", "libc.so.6"),
            link("/lib64", "usr/lib64"),
            library("/usr/lib64/ld-linux-x86-64.so.2"),
        ),
    ),
    Case(
        "I-LOADER-11",
        image(link(f"{TOOLKIT}/libcublas.so.12", "libcublas.so.12.4.5.8")),
        image(link(f"{TOOLKIT}/libcublas.so.12", "libcublas.so.12.4.5.8"), _CUBLAS),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_a_rule_tells_what_breaks_it_and_nothing_else(case: Case):
    judge(case)


def test_every_rule_of_the_area_has_a_case():
    assert {case.rule for case in CASES} == ids(AREA)


@pytest.mark.parametrize(
    ("release", "symbol", "breaks"),
    [
        ('ID="rocky"\nVERSION_ID="8.10"\n', "GLIBC_2.29", True),
        ('ID="rocky"\nVERSION_ID="9.4"\n', "GLIBC_2.29", False),
        ('ID="sles"\nVERSION_ID="15.6"\n', "GLIBC_2.38", False),
        ('ID="sles"\nVERSION_ID="15.5"\n', "GLIBC_2.34", True),
        ('ID="opensuse-leap"\nVERSION_ID="15.2"\n', "GLIBC_2.27", True),
        ('ID="sles"\nVERSION_ID="12.2"\n', "GLIBC_2.99", False),
        ("ID=fedora\nVERSION_ID=43\n", "GLIBC_2.42", False),
        ("ID=arch\n", "GLIBC_2.99", False),
    ],
)
def test_libc_is_known_by_the_release_where_no_package_tells_it(release, symbol, breaks):
    found = ask("I-LOADER-3", image(_asking(symbol), text("/etc/os-release", release)))
    assert bool(found) is breaks


def test_a_library_that_a_program_needs_is_an_error_and_one_of_a_module_a_warning():
    (program_s,) = ask("I-LOADER-1", image(*_BASE, program("/app/tool", "libx.so.1")))
    (module_s,) = ask("I-LOADER-1", image(*_BASE, library("/app/module.so", "libx.so.1")))
    assert (program_s.severity, module_s.severity) == ("error", "warning")


def test_what_a_python_package_lacks_is_one_finding_and_an_error_where_its_main_module_needs_it():
    needed = (
        library(f"{SITE}/cv2/cv2.abi3.so", "libQt5Gui-1.so.5"),
        library(f"{SITE}/opencv_python.libs/libQt5Gui-1.so.5", "libGL.so.1", "libxcb.so.1"),
    )
    (found,) = ask("I-LOADER-1", image(*_BASE, *needed))
    assert found.severity == "error"
    assert "libGL.so.1, libxcb.so.1" in found.cause
    (found,) = ask("I-LOADER-1", image(*_BASE, library(f"{SITE}/numpy/extra.abi3.so", "libx.so.1")))
    assert found.severity == "warning"


def test_plugins_are_told_together_and_those_of_wheels_not_at_all():
    plugins = (library("/opt/app/lib/libone.so", "libx.so.1"), library("/opt/app/lib/libtwo.so", "liby.so.1"))
    (found,) = ask("I-LOADER-1", image(*_BASE, *plugins))
    assert (found.severity, found.paths) == ("info", tuple(one.path for one in plugins))
    wheel_s = library(f"{SITE}/nvidia/nvshmem/lib/nvshmem_transport_ucx.so.3", "libucp.so.0")
    assert not ask("I-LOADER-1", image(*_BASE, wheel_s, library(f"{SITE}/cv2/qt/plugins/libqxcb.so", "libSM.so.6")))


def test_a_library_that_a_programs_library_does_not_find_is_lost_too():
    parts = (program("/app/tool", "liba.so", runpath="$ORIGIN/lib"), library("/app/lib/liba.so", "libb.so"))
    (found,) = ask("I-LOADER-2", image(*_BASE, *parts, library("/app/lib/libb.so")))
    assert found.cause.startswith("/app/lib/liba.so needs libb.so")


def test_a_program_of_a_python_package_is_started_by_that():
    torch = (library(f"{SITE}/torch/lib/libc10.so"), program(f"{SITE}/torch/bin/test_shim", "libc10.so"))
    assert not ask("I-LOADER-2", image(*_BASE, *torch))


def test_a_folder_of_anybody_is_told_even_where_it_is_there():
    (found,) = ask("I-LOADER-6", image(library("/app/libmine.so", runpath="/tmp/lib"), file("/tmp/lib", size=1)))
    assert found.severity == "warning"


def test_a_missing_layer_makes_no_library_missing():
    lone = image(program("/app/tool", "libx.so.1"), refused=("the layer sha256:1 is not with the image",))
    assert not ask("I-LOADER-1", lone)
    assert not ask("I-LOADER-10", lone)


@pytest.mark.parametrize("name", ["libc.so", "libpthread.so.0", "libm.so.6"])
def test_musls_loader_is_its_own_libc_wherever_that_stands(name):
    musl, tool = library("/lib/ld-musl-x86_64.so.1"), program("/bin/tool", name, interpreter="/lib/ld-musl-x86_64.so.1")
    elsewhere = library(f"/lib/x86_64-linux-musl/{name}", soname=name)
    assert not ask("I-LOADER-1", image(musl, tool))
    assert not ask("I-LOADER-2", image(musl, tool, elsewhere))
    assert ask("I-LOADER-2", image(_LOADER, tool, elsewhere))
