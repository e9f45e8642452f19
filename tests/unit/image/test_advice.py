import msgspec
import pytest

from linkspan.image.advice import Advice, advise
from linkspan.image.model import Entry, Hidden, Layer
from linkspan.image.registry import Target
from linkspan.image.source import open_image
from tests.unit.image import rendered
from tests.unit.image.stacks import BASE, CUDA, CUDNN, DEVEL, RUNTIME, SITE, WHEELS, dist, file, image, lib

APP = "/app/bin/train"


def saved(advice: Advice) -> dict[str, int]:
    return {one.key: one.bytes for one in advice.savings}


@pytest.mark.parametrize(
    ("entries", "enough", "has", "name"),
    [
        ((*DEVEL, lib(APP, 9, "libcudart.so.12")), "base", "devel", "nvidia/cuda:12.4.1-base-ubuntu22.04"),
        ((*DEVEL, lib(APP, 9, "libcublas.so.12")), "runtime", "devel", "nvidia/cuda:12.4.1-runtime-ubuntu22.04"),
        ((*RUNTIME, lib(APP, 9, "libcublas.so.12")), "runtime", "runtime", "nvidia/cuda:12.4.1-runtime-ubuntu22.04"),
        ((*RUNTIME, lib(APP, 9, "libnccl.so.2")), "runtime", "runtime", "nvidia/cuda:12.4.1-runtime-ubuntu22.04"),
        (
            (*DEVEL, *CUDNN, lib(APP, 9, "libcudnn.so.9")),
            "cudnn-runtime",
            "cudnn-devel",
            "nvidia/cuda:12.4.1-cudnn-runtime-ubuntu22.04",
        ),
        ((*BASE, lib(APP, 9, "libc.so.6")), "base", "base", "nvidia/cuda:12.4.1-base-ubuntu22.04"),
        ((lib(APP, 9, "libc.so.6"),), "base", "none", ""),
    ],
)
def test_the_smallest_variant_that_holds_what_is_linked_is_enough(entries, enough, has, name):
    base = advise(image(*entries)).base
    assert (base.enough, base.has, base.image) == (enough, has, name)


def test_the_reason_names_program_and_library():
    reasons = advise(image(*RUNTIME, lib(APP, 9, "libcublas.so.12", "libcusparse.so.12"))).base.reasons
    assert "/app/bin/train links to libcublas.so.12" in reasons
    assert "/app/bin/train links to libcusparse.so.12, which the image does not have" in reasons


def test_wheels_bring_their_cuda_so_that_any_base_is_enough():
    base = advise(image(*RUNTIME, *WHEELS)).base
    assert (base.enough, base.has, base.plain) == ("base", "runtime", True)
    assert base.environment == ("NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_DRIVER_CAPABILITIES=compute,utility")
    library = f"{SITE}/nvidia/cublas/lib/libcublas.so.12"
    assert base.reasons == (f"CUDA's libraries came with what uses them, as {library}, so that no toolkit is needed",)


@pytest.mark.parametrize("folder", ["/opt/conda/lib", "/app/lib", "/usr/lib/python3/dist-packages/nvidia/cublas/lib"])
def test_libraries_beside_what_uses_them_need_no_toolkit(folder):
    base = advise(image(lib(f"{folder}/libcublas.so.12", 5), lib(APP, 9, "libcublas.so.12"))).base
    assert (base.enough, base.has, base.plain) == ("base", "none", True)


@pytest.mark.parametrize("folder", ["/usr/lib/x86_64-linux-gnu", "/usr/local/cuda/lib64", "/usr/local/lib"])
def test_libraries_of_the_system_are_the_toolkits(folder):
    assert advise(image(lib(f"{folder}/libcublas.so.12", 5), lib(APP, 9, "libcublas.so.12"))).base.enough == "runtime"


def test_a_program_with_cudas_runtime_in_itself_needs_no_toolkit():
    base = advise(image(*BASE, lib(APP, 9, "libc.so.6", gpu=("sm_80",)))).base
    assert base.plain
    assert base.reasons == ("/app/bin/train holds code for GPUs and has CUDA's runtime in itself",)


def test_what_opens_libraries_by_name_is_known_by_its_package():
    advice = advise(image(*RUNTIME, *CUDNN, dist("tensorflow", "2.13.0")))
    assert advice.base.enough == "cudnn-runtime"
    assert "the package tensorflow opens CUDA's libraries and cuDNN by name" in advice.base.reasons
    assert "unlinked" not in saved(advice)


def test_what_compiles_when_it_runs_keeps_its_compiler():
    advice = advise(image(*DEVEL, *WHEELS, dist("flashinfer_python", "0.2.0")))
    assert advice.base.packages == ("cuda-nvcc-12-4", "cuda-cudart-dev-12-4", "cuda-nvrtc-12-4", "g++")
    assert not advice.base.plain
    assert not {"tools", "compilers", "unlinked"} & set(saved(advice))


def test_triton_keeps_the_c_compiler_and_not_cudas():
    advice = advise(image(*DEVEL, *WHEELS, dist("triton", "3.0.0")))
    assert advice.base.packages == ("gcc", "libc6-dev")
    assert "compilers" not in saved(advice)
    assert saved(advice)["tools"] == 171_050_000


def test_what_could_be_left_out_is_weighed_and_no_byte_counts_twice():
    extra = (
        lib("/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.550.54.15", 2_000_000),
        file("/var/lib/apt/lists/x", 40_000_000),
        file("/root/.cache/pip/http/x", 5_000_000, 2),
    )
    hidden = (Hidden(path="/tmp/cuda.run", layer=1, size=70_000_000, by=2),)
    advice = advise(image(*DEVEL, *extra, lib(APP, 9, "libcublas.so.12", layer=2), hidden=hidden))
    assert saved(advice) == {
        "unlinked": 200_700_000,  # cufft, and cudart, which cublas has in itself
        "tools": 171_050_000,
        "hidden": 70_000_000,
        "caches": 45_000_000,
        "driver": 2_000_000,
        "compilers": 900_000,
    }
    assert [one.bytes for one in advice.savings] == sorted(saved(advice).values(), reverse=True)
    by_key = {one.key: one for one in advice.savings}
    assert by_key["unlinked"].paths[0] == f"{CUDA}/libcufft.so.11.2.1.3"
    assert (by_key["caches"].files, by_key["caches"].layers) == (2, (1, 2))
    assert sum(saved(advice).values()) < advice.bytes


def test_the_parts_that_a_library_opens_by_itself_are_used_with_it():
    advice = advise(image(*BASE, *CUDNN, lib(APP, 9, "libcudnn.so.9", "libcudart.so.12")))
    assert "unlinked" not in saved(advice)


def test_the_toolkits_copy_of_what_wheels_bring_is_idle():
    advice = advise(image(*RUNTIME, *WHEELS))
    assert saved(advice)["unlinked"] == 700_700_000


def test_the_compatibility_package_is_idle_where_the_driver_is_new_enough():
    assert "compat" not in saved(advise(image(*BASE)))
    assert "compat" not in saved(advise(image(*BASE), Target(driver="535")))
    assert saved(advise(image(*BASE), Target(driver="550.54.15")))["compat"] == 30_000_000


def test_another_name_of_a_file_weighs_nothing():
    twin = Entry(path="/app/twin", kind="file", layer=1, size=9_000, target="/app/one")
    assert advise(image(file("/app/one", 9_000), twin)).bytes == 9_000


@pytest.mark.parametrize(
    ("driver", "fit"),
    [
        ("550.54.15", "fits"),
        ("580", "fits"),
        ("535", "starts"),
        ("525", "starts"),
        ("525.60.11", "compat"),
        ("470.82.01", "compat"),
        ("9", "unknown"),
    ],
)
def test_a_driver_is_judged_by_the_newest_cuda_of_the_image(driver, fit):
    fleet = advise(image(*RUNTIME), Target(driver=driver)).fleet
    assert (fleet.cuda, fleet.oldest, fleet.full, fleet.fit) == ("12.4", "525.60.13", "550", fit)


def test_without_the_compatibility_package_an_old_driver_is_too_old():
    entries = [entry for entry in RUNTIME if "/compat/" not in entry.path]
    assert advise(image(*entries), Target(driver="470.82.01")).fleet.fit == "too old"


def test_the_newest_of_several_cudas_counts_with_what_tells_it():
    fleet = advise(image(*WHEELS, dist("torchaudio", "2.4.1+cu124"), env=())).fleet
    assert fleet.cuda == "12.4"
    assert [(one.version, one.source) for one in fleet.found] == [
        ("12.4", "torchaudio 2.4.1+cu124"),
        ("12.1", "nvidia-cuda-runtime-cu12 12.1.105"),
    ]


def test_where_only_the_major_version_can_be_told_the_driver_that_starts_it_can_be_told_too():
    fleet = advise(image(lib("/app/lib/libcudart.so.12", 5), env=()), Target(driver="580")).fleet
    assert (fleet.cuda, fleet.oldest, fleet.full, fleet.fit) == ("12", "525.60.13", "", "fits")
    assert advise(image(lib("/app/lib/libcudart.so.12", 5), env=()), Target(driver="550")).fleet.fit == "starts"
    assert advise(image(lib("/app/lib/libcudart.so.11.0", 5), env=())).fleet.oldest == "450.80.02"


def test_what_else_there_is_to_the_driver_is_noted():
    env = ("CUDA_VERSION=12.4.1", "NVIDIA_REQUIRE_CUDA=cuda>=12.4 brand=tesla,driver>=470,driver<471")
    numba = (dist("numba", "0.60.0"), lib("/usr/local/cuda/nvvm/lib64/libnvvm.so.4.0.0", 9))
    notes = advise(image(*BASE, *numba, env=env)).fleet.notes
    assert "numba gives PTX to the driver, which must know CUDA 12.4: branch 550 or later" in notes
    assert any("cuda>=12.4, or a driver of a branch that it lists" in note for note in notes)


def test_an_image_without_cuda_tells_of_none():
    advice = advise(image(file("/app/x", 5), env=()))
    assert (advice.fleet.cuda, advice.fleet.oldest, advice.savings) == ("", "", ())


def test_layers_are_told_by_owner():
    advice = advise(image(*RUNTIME, lib(APP, 9, layer=2), hidden=(Hidden(path="/x", layer=0, size=7, by=1),)))
    assert [(share.number, share.bytes) for share in advice.layers] == [
        (0, {"system": 2_000_029, "hidden": 7}),
        (1, {"cuda": 700_700_000, "compat": 30_000_000}),
        (2, {"application": 9}),
    ]
    assert advice.bytes == sum(advice.owners.values()) == 732_700_045


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("/usr/local/cuda-12.4/nvvm/bin/cicc", "tools"),
        ("/usr/lib/x86_64-linux-gnu/libcudnn.so.9", "cudnn"),
        ("/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.550.54.15", "driver"),
        ("/usr/lib/gcc/x86_64-linux-gnu/11/cc1plus", "compilers"),
        ("/opt/nvidia/nsight-compute/2024.1/ncu", "tools"),
        (f"{SITE}/nvidia/cudnn/lib/libcudnn.so.9", "cudnn"),
        (f"{SITE}/nvidia/cuda_nvcc/bin/ptxas", "tools"),
        (f"{SITE}/torch/include/torch/cuda.h", "framework"),
        (f"{SITE}/numpy/core.so", "packages"),
        ("/opt/app/include/cuda/x.h", "application"),
        ("/usr/share/doc/x", "system"),
        ("/srv/model.bin", "application"),
    ],
)
def test_a_file_is_somebodys(path, owner):
    share = advise(image(file(path, 3))).layers[1]
    assert share.bytes == {owner: 3}


def test_the_secrets_of_a_layers_command_are_not_repeated():
    made = image(file("/app/x", 1, 2))
    layers = (*made.layers[:2], Layer(number=2, command="RUN TOKEN=hunter2 make && curl https://u:pass@x/y"))
    told = advise(msgspec.structs.replace(made, layers=layers)).layers[-1].command
    assert not [word for word in ("hunter2", "u:pass") if word in told]
    assert "make" in told


def test_a_name_of_the_drivers_counts_where_it_can_be_run():
    program = Entry(path="/usr/bin/nvidia-smi", kind="file", layer=1, size=5, mode=0o755)
    completion = file("/usr/share/bash-completion/completions/nvidia-smi", 7)
    toolkit = Entry(path="/usr/bin/nvidia-ctk", kind="file", layer=1, size=11, mode=0o755)
    assert advise(image(program, completion, toolkit)).owners == {"driver": 16, "system": 7}


def test_advice_on_names_that_are_no_text_can_be_written():
    advice = advise(image(*DEVEL, lib("/app/\udcff", 9, "libcudart.so.12"), file("/tmp/\udcfe", 3)))
    assert "/app/\\xff links to libcudart.so.12" in advice.base.reasons
    assert msgspec.json.decode(msgspec.json.encode(advice), type=Advice) == advice


def test_the_advice_names_the_gpus_that_frameworks_have_code_for():
    fleet = advise(image(*RUNTIME, *WHEELS), Target(gpus=("T4",), capabilities=("7.5",))).fleet
    assert [(one.holder, one.architectures) for one in fleet.code] == [("torch", ("sm_80",))]
    assert "torch has no code for T4 (7.5)" in fleet.notes


def test_numba_for_the_processor_asks_for_no_compiler_of_cudas():
    bare, whole = dist("numba", "0.60.0"), lib("/usr/local/cuda/nvvm/lib64/libnvvm.so.4.0.0", 9)
    assert "cuda-nvcc-12-4" not in advise(image(*RUNTIME, *WHEELS, bare)).base.packages
    assert "cuda-nvcc-12-4" in advise(image(*RUNTIME, *WHEELS, bare, whole)).base.packages


@pytest.mark.parametrize("entries", [(*DEVEL, *CUDNN), (*BASE, *WHEELS)], ids=["toolkit", "wheels"])
@pytest.mark.parametrize("form", ["layout", "saved.tar"])
def test_an_image_that_was_read_is_advised_as_the_one_in_memory(entries, form, tmp_path):
    hidden = (Hidden(path="/tmp/installer.run", layer=1, size=3_000_000, by=2),)
    whole = rendered.scaled(image(*entries, lib(APP, 50_000, "libcublas.so.12", layer=2), hidden=hidden))
    real = open_image(rendered.write(whole, f"{tmp_path}", form, "zstd"))
    told, meant = advise(real), advise(whole)
    assert (told.base, told.savings, told.fleet) == (meant.base, meant.savings, meant.fleet)
    assert (told.parts, told.owners, told.bytes) == (meant.parts, meant.owners, meant.bytes)
