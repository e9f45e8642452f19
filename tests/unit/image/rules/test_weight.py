"""Rules on what an image carries and nobody needs."""

import pytest

from linkspan.image.model import Hidden, Layer
from tests.unit.image.images import file, image, library, link, program, text, wheel
from tests.unit.image.rules.cases import Case, ids, of

_CUDA = "/usr/local/cuda-12.4/targets/x86_64-linux"
_SITE = "/usr/local/lib/python3.12/site-packages"
_MB = 10**6
_THREE = tuple(Layer(number=number, command=f"RUN step {number}") for number in range(3))
_CUBLAS = library(f"{_CUDA}/lib/libcublasLt.so.12.4.5.8", 400 * _MB)
_WHEEL_CUBLAS = library(f"{_SITE}/nvidia/cublas/lib/libcublasLt.so.12", 350 * _MB)

CASES = (
    Case(
        "I-WEIGHT-1",
        image(program("/usr/bin/cmake", 9 * _MB), program("/usr/bin/x86_64-linux-gnu-gcc-13", _MB)),
        image(
            program("/usr/bin/x86_64-linux-gnu-gcc-13", _MB),
            program("/usr/libexec/gcc/x86_64-linux-gnu/13/cc1", 30 * _MB),
            program("/usr/local/bin/ninja", 300, head=b"#!/usr/bin/python3"),
            file("/app/make", mode=0o755),
            wheel("triton", "3.1.0"),
        ),
    ),
    Case(
        "I-WEIGHT-2",
        image(program("/usr/local/cuda-12.4/bin/nvcc", 20 * _MB)),
        image(
            program("/usr/local/cuda-12.4/bin/ptxas", 30 * _MB),
            program(f"{_SITE}/nvidia/cuda_nvcc/bin/nvcc"),
            file("/usr/share/doc/nvcc.txt"),
        ),
    ),
    Case(
        "I-WEIGHT-3",
        image(file(f"{_CUDA}/include/cuda.h", _MB), file("/usr/include/cudnn.h")),
        image(file("/usr/include/x.h", 900), file(f"{_SITE}/nvidia/cuda_runtime/include/cuda.h", 2 * _MB)),
    ),
    Case(
        "I-WEIGHT-4",
        image(file(f"{_CUDA}/lib/libcublas_static.a", 200 * _MB)),
        image(file("/usr/lib/libc_nonshared.a", 20_000), file("/usr/lib/python3/config.a", 5 * _MB)),
    ),
    Case(
        "I-WEIGHT-5",
        image(file("/opt/nvidia/nsight-compute/2024.1/ncu", 90 * _MB)),
        image(file("/opt/nvidia/nvidia_entrypoint.sh", 2 * _MB), program("/usr/local/cuda-12.4/bin/ptxas", 9 * _MB)),
    ),
    Case(
        "I-WEIGHT-6",
        image(library(f"{_CUDA}/lib/stubs/libcublas.so", 40_000)),
        image(
            library(f"{_CUDA}/lib/stubs/libcublas.so", 40_000),
            wheel("flashinfer_python", "0.2.0"),
            text("/app/stubs/api.pyi", "class A: ..."),
        ),
    ),
    Case(
        "I-WEIGHT-7",
        image(file("/var/lib/apt/lists/archive_main_binary-amd64_Packages.lz4", 30 * _MB)),
        image(file("/var/lib/apt/lists/lock", 0), file("/var/lib/apt/extended_states", 2 * _MB)),
    ),
    Case(
        "I-WEIGHT-8",
        image(file("/root/.cache/pip/http-v2/a/b", 900 * _MB)),
        image(file("/root/.cache/huggingface/model", 900 * _MB), file("/root/.cache/pip/selfcheck/x", 100)),
    ),
    Case(
        "I-WEIGHT-9",
        image(file("/tmp/cudnn-linux-x86_64-9.1.0.tar.xz", 700 * _MB)),
        image(file("/app/data/model.bin", 900 * _MB), file("/tmp/small.tar.gz", 200)),
    ),
    Case(
        "I-WEIGHT-10",
        image(file("/src/build/CMakeCache.txt", 40_000), file("/src/build/kernel.o", 9000)),
        image(
            file(f"{_SITE}/triton/a.cu", 2 * _MB), file("/usr/lib/x86_64-linux-gnu/crt1.o", 2 * _MB), file("/a.cu", 10)
        ),
    ),
    Case(
        "I-WEIGHT-11",
        image(file("/app/.git/HEAD", 23), file("/app/.git/objects/pack/a.pack", 30 * _MB)),
        image(file("/app/.gitignore", 23), file("/app/.git/hooks/pre-commit", 23)),
    ),
    Case(
        "I-WEIGHT-12",
        image(file("/app/tests/data.bin", 9 * _MB)),
        image(file(f"{_SITE}/torch/testing/data.bin", 9 * _MB), file(f"{_SITE}/numpy/core/tests/x.py", 30 * _MB)),
    ),
    Case(
        "I-WEIGHT-13",
        image(_CUBLAS, _WHEEL_CUBLAS),
        image(
            _CUBLAS,
            link(f"{_CUDA}/lib/libcublasLt.so.12", "libcublasLt.so.12.4.5.8"),
            library(f"{_CUDA}/lib/stubs/libcublasLt.so", 40_000),
            file("/opt/libcublasLt.so.12.4.5.8", 400 * _MB, target=_CUBLAS.path),
            library("/root/.cache/uv/a/libcublasLt.so.12", 350 * _MB),
            library(f"{_CUDA}/lib/libcublas.so.12.4.5.8", 100 * _MB),
        ),
    ),
    Case(
        "I-WEIGHT-14",
        image(hidden=(Hidden(path="/tmp/a.run", layer=1, size=300 * _MB, by=2),), layers=_THREE),
        image(hidden=(Hidden(path="/etc/passwd", layer=0, size=900, by=1),), layers=_THREE),
    ),
    Case(
        "I-WEIGHT-15",
        image(
            file("/app/model.bin", 5 * _MB, layer=2),
            hidden=(Hidden(path="/app/model.bin", layer=1, size=5 * _MB, by=2),),
            layers=_THREE,
        ),
        image(
            file("/app/model.bin", 6 * _MB, layer=2),
            hidden=(Hidden(path="/app/model.bin", layer=1, size=5 * _MB, by=2),),
            layers=_THREE,
        ),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_a_rule_on_weight_tells_its_fault_from_what_only_looks_like_it(case: Case):
    found = of(case.broken, case.rule)
    assert found
    assert all(finding.cause and finding.fix for finding in found)
    assert not of(case.sound, case.rule)


def test_every_rule_on_weight_has_its_fixtures():
    assert {case.rule for case in CASES} == ids("weight")


def test_triton_excuses_the_c_compiler_and_not_cmake():
    tools = (program("/usr/bin/gcc-13", 5), program("/usr/bin/g++-13", 5), program("/usr/bin/cmake", 5))
    (finding,) = of(image(*tools, wheel("triton", "3.1.0")), "I-WEIGHT-1")
    assert finding.paths == ("/usr/bin/cmake", "/usr/bin/g++-13")


def test_who_compiles_kernels_at_run_time_keeps_nvcc_unless_they_came_ready_made():
    nvcc = program("/usr/local/cuda-12.4/bin/nvcc", 20 * _MB)
    bare = (nvcc, wheel("flashinfer_python", "0.2.0"))
    assert not of(image(*bare), "I-WEIGHT-2")
    assert of(image(*bare, wheel("flashinfer_cubin", "0.2.0"), wheel("flashinfer_jit_cache", "0.2.0")), "I-WEIGHT-2")


def test_a_library_in_system_and_wheels_costs_all_but_the_largest_copy():
    (finding,) = of(image(_CUBLAS, _WHEEL_CUBLAS), "I-WEIGHT-13")
    assert finding.bytes == 350 * _MB
    assert "350.0 MB too much: libcublasLt in /usr/local/cuda-12.4 and " + _SITE in finding.cause
    assert "the wheels bring their own CUDA" in finding.fix
    assert set(finding.paths) == {_CUBLAS.path, _WHEEL_CUBLAS.path}


def test_two_environments_with_the_same_wheels_should_be_one():
    other = library("/venv/lib/python3.12/site-packages/nvidia/cublas/lib/libcublasLt.so.12", 350 * _MB)
    (finding,) = of(image(_WHEEL_CUBLAS, other), "I-WEIGHT-13")
    assert finding.fix.startswith("keep one of them")


def test_a_copy_that_auditwheel_renamed_is_the_same_library():
    renamed = library(f"{_SITE}/ctranslate2.libs/libcublasLt-1a2b3c4d.so.12.4.5.8", 390 * _MB)
    assert of(image(_CUBLAS, renamed), "I-WEIGHT-13")[0].bytes == 390 * _MB


def test_a_file_that_was_removed_is_told_with_both_layers():
    (finding,) = of(CASES[13].broken, "I-WEIGHT-14")
    assert finding.cause == "layer 2 removes or replaces 300.0 MB of layer 1: /tmp/a.run"
    assert (finding.layer, finding.layer_command, finding.bytes) == (1, "RUN step 1", 300 * _MB)


def test_a_change_of_owner_is_told_for_the_layer_that_made_it():
    (finding,) = of(CASES[14].broken, "I-WEIGHT-15")
    assert (finding.layer, finding.bytes) == (2, 5 * _MB)
    assert not of(CASES[14].broken, "I-WEIGHT-14")


def test_the_weight_of_a_finding_leaves_out_second_names_of_a_file():
    nvcc, other = (
        program("/usr/local/cuda/bin/nvcc", 50),
        program("/usr/local/cuda/bin/cicc", 50, target="/usr/local/x"),
    )
    assert of(image(nvcc, other), "I-WEIGHT-2")[0].bytes == 50


def test_a_secret_in_a_layers_command_is_masked_in_every_finding():
    layers = (Layer(number=0, command="RUN |1 HF_TOKEN=words-of-mine /bin/sh -c apt-get install gcc"),)
    (finding,) = of(image(program("/usr/bin/gcc"), layers=layers), "I-WEIGHT-1")
    assert finding.layer_command == "RUN |1 HF_TOKEN=*** /bin/sh -c apt-get install gcc"


def test_of_thousands_of_files_the_first_are_named():
    many = [file(f"{_CUDA}/include/{number}.h", 10_000) for number in range(1000)]
    (finding,) = of(image(*many), "I-WEIGHT-3")
    assert len(finding.paths) == 200
    assert finding.cause.endswith("and 997 more")
