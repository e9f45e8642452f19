from setuptools import setup
from torch.utils.cpp_extension import BuildExtension, CUDAExtension

setup(
    name="fused",
    ext_modules=[CUDAExtension("fused", ["fused.cu"])],
    cmdclass={"build_ext": BuildExtension},
)
