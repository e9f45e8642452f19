"""How to get a library that is missing."""

import pytest

from linkspan.image.missing import debian, remedy
from tests.unit.image.images import debian as dpkg
from tests.unit.image.images import image


@pytest.mark.parametrize(
    ("soname", "package"),
    [
        ("libGL.so.1", "libgl1"),
        ("libX11.so.6", "libx11-6"),
        ("libxcb.so.1", "libxcb1"),
        ("libibverbs.so.1", "libibverbs1"),
        ("libglib-2.0.so.0", "libglib2.0-0"),
        ("libz.so.1", "zlib1g"),
        ("libSM.so.6", "libsm6"),
    ],
)
def test_a_librarys_package_is_called_as_debians_policy_says(soname, package):
    assert debian(soname) == package


@pytest.mark.parametrize(
    ("names", "package", "words"),
    [
        (["libcublas.so.12"], "", "nvidia/cuda:12.9.1-runtime"),
        (["libcudnn.so.9", "libcudart.so.12"], "", "nvidia/cuda:12.9.1-cudnn-runtime"),
        (["libcublas.so.12"], "cupy", "cupy-cuda12x[ctk]"),
        (["libGL.so.1"], "cv2", "opencv-python-headless"),
        (["libtorch.so", "libcudart.so.12"], "vllm", "RUN pip install torch"),
        (["libgomp.so.1"], "", "libgomp1"),
    ],
)
def test_the_remedy_fits_what_is_missing(names, package, words):
    assert words in remedy(image(dpkg(libc6="2.36-9")), names, package)


def test_without_dpkg_no_package_of_debians_is_named():
    assert "apt-get" not in remedy(image(), ["libgomp.so.1"])
