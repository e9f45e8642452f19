"""CUDA on both sides."""

from linkspan.check.eyes import Ledger, live
from linkspan.explain import fit
from tests import hosts

SITE = "/usr/local/lib/python3.11/site-packages"


def test_runtimes_are_found_in_toolkits_and_wheels_the_newest_first(tmp_path):
    hosts.make(
        tmp_path,
        {
            "/usr/local/cuda-12.1/targets/x86_64-linux/lib/libcudart.so.12.1.105": b"x",
            "/usr/local/cuda-12.1/targets/x86_64-linux/lib/libcudart.so.12": "-> libcudart.so.12.1.105",
            "/usr/local/cuda-12.1/lib64": "-> targets/x86_64-linux/lib",
            f"{SITE}/nvidia_cuda_runtime_cu12-12.4.127.dist-info/METADATA": "",
            f"{SITE}/torch-2.4.1+cu124.dist-info/METADATA": "",
        },
    )
    root = live(str(tmp_path), Ledger())
    found = fit.runtimes(root, {"CUDA_VERSION": "9.0"})
    assert [(one.name, one.version) for one in found] == [
        ("nvidia-cuda-runtime", "12.4.127"),
        ("libcudart", "12.1.105"),
    ]
    assert [(one.name, one.version) for one in fit.frameworks(root)] == [("torch", "2.4.1+cu124")]


def test_without_a_file_the_variable_tells(tmp_path):
    root = live(str(tmp_path), Ledger())
    assert [one.version for one in fit.runtimes(root, {"CUDA_VERSION": "12.1.1"})] == ["12.1.1"]
    assert fit.runtimes(root, {}) == []
