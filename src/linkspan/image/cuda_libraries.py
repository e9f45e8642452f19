"""CUDA's own libraries by their names, and those of them that frameworks cannot do without.

The names are listed, not guessed from how they begin: ``libcunit``, ``libcustom`` and ``libnvme`` begin like them.
"""

import re

_NAMES = (
    r"cudart|cublas(?:Lt)?|nvblas|cufft[wW]?|curand|cusolver(?:Mg)?|cusparse(?:Lt)?|cupti|cuinj64|accinj64|cufile(?:_rdma)?"
    r"|cuobjclient|cudss\w*|cutensor(?:Mg|net)?|custatevec|cudla|cudadevrt|cufftMp|cublasMp|cusolverMp|cusolver_\w+"
    r"|cudnn\w*|nccl|nvrtc|nvrtc-builtins|nvJitLink|nvToolsExt|nvtx3interop|nvfatbin|nvjpeg(?:2k)?|nvptxcompiler|nvvm"
    r"|nvperf_\w+|nvshmem_\w+|nvcomp\w*|nvimgcodec|nvtiff|npp[a-z]+|checkpoint|pcsamplingutil|nvinfer\w*|nvonnxparser"
)
_CUDA = re.compile(rf"lib(?:{_NAMES})(?:[.-][0-9a-f]{{8}})?\.so(?:\.[\d.]+)?")
_CORE = re.compile(r"lib(cublas|cublasLt|cufft|cusolver|cusparse|curand|cudnn_ops|nccl)(?:[.-][0-9a-f]{8})?\.so.*")
_OF_NVIDIA = re.compile(
    r"-packages/nvidia/|^/usr/local/cuda[^/]*/|^/usr/lib/(nvidia-)?cuda(-toolkit)?/|^/opt/nvidia/|/dcgm_tests/"
    r"|/bin/(__nvcc_device_query|nvprof|nvvp|cuda-\w+|compute-sanitizer|nvidia-\w+)$"
)


def is_of_cuda(name: str) -> bool:
    """True for a library of CUDA, cuDNN, NCCL or TensorRT by its name."""
    return bool(_CUDA.fullmatch(name))


def is_core(name: str) -> bool:
    """True for a library of CUDA whose kernels every framework runs; others hold code for a tool or for one duty."""
    return bool(_CORE.fullmatch(name))


def is_cudas_own(path: str) -> bool:
    """True for a file of CUDA's, wherever it was copied to: its makers decide for which GPUs it has code."""
    return is_of_cuda(path.rpartition("/")[2]) or bool(_OF_NVIDIA.search(path))
