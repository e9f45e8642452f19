"""Who holds code for GPUs, and whether a GPU that somebody has none for is a fault."""

from linkspan.image.cuda_libraries import is_of_cuda
from linkspan.image.holders import core, holders
from tests.unit.image.images import SITE, image, library

T4, H100 = (7, 5), (9, 0)
VLLM = (
    library(f"{SITE}/vllm/_C.abi3.so", gpu=("sm_75", "sm_90a", "compute_80")),
    library(f"{SITE}/vllm/vllm_flash_attn/_vllm_fa3_C.abi3.so", gpu=("sm_90a",)),
)


def test_a_package_has_the_code_of_all_its_files():
    (vllm,) = holders(image(*VLLM))
    assert (vllm.name, vllm.architectures) == ("vllm", ("sm_75", "sm_90a", "compute_80"))
    assert (vllm.code(T4), vllm.code(H100), vllm.code((7, 0))) == ("code", "code", "none")
    assert [one.name for one in vllm.bare(T4)] == ["_vllm_fa3_C.abi3.so"]


def test_pytorch_is_what_its_main_library_is():
    main = library(f"{SITE}/torch/lib/libtorch_cuda.so", gpu=("sm_80",))
    (torch,) = holders(image(main, library(f"{SITE}/torch/lib/libtorch_nvshmem.so", gpu=("sm_75",))))
    assert torch.code(T4) == "none"


def test_cudas_own_libraries_hold_code_for_themselves_and_only_the_core_ones_count():
    wrapper = library(f"{SITE}/nvidia/cu13/lib/libcufftw.so.12", gpu=("sm_75",))
    blas = library(f"{SITE}/nvidia/cu13/lib/libcublas.so.13", gpu=("sm_90",))
    bundled = library(f"{SITE}/torchvision.libs/libnvjpeg.36e11081.so.13", gpu=("sm_75",))
    profiler = library(f"{SITE}/triton/backends/nvidia/lib/cupti/libcupti.so.12", gpu=("sm_50",))
    whole = image(wrapper, blas, bundled, profiler)
    assert holders(whole) == ()
    assert core(whole) == [blas]


def test_names_that_begin_like_cudas_are_not_cudas():
    assert is_of_cuda("libcudnn_ops.so.9")
    assert is_of_cuda("libnvjpeg.36e11081.so.13")
    assert not [name for name in ("libcustom.so", "libcurl.so.4", "libnvme.so.1", "libcuda.so.1") if is_of_cuda(name)]
