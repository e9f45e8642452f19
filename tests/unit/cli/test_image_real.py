"""``linkspan image`` on images as builders write them, through the reader, by the rules that there are."""

import json

import pytest

from linkspan.cli.main import run
from tests.elf import library
from tests.unit.image import writer

DRIVER = library("libcuda.so.1") + bytes(300_000)
RUNTIME = library("libcudart.so.12")
LAYERS = (
    writer.layer({"etc/os-release": 'ID=ubuntu\nVERSION_ID="22.04"\n'}, command="ADD rootfs.tar /"),
    writer.layer(
        {
            "usr/lib/libcuda.so.550.54.15": DRIVER,
            "usr/local/cuda-12.4/lib64/libcudart.so.12.4.127": RUNTIME,
            "usr/local/cuda-12.4/lib64/libcudart.so.12": writer.link("libcudart.so.12.4.127"),
            "usr/local/cuda-12.4/bin/nvcc": library(),
            "tmp/download": b"x" * 5000,
        },
        command="RUN apt-get install libcuda1 cuda-nvcc-12-4",
    ),
    writer.layer({"app/train": library(needed=["libcudart.so.12"]), "tmp/.wh.download": b""}, command="COPY app /app"),
)


@pytest.fixture(params=["layout", "archive"])
def place(request, tmp_path) -> str:
    """The image as an OCI layout, and as what docker save wrote."""
    if request.param == "layout":
        return writer.write_layout(str(tmp_path / "layout"), LAYERS, Env=["CUDA_VERSION=12.4.1"])
    saved = writer.saved(LAYERS, Env=["CUDA_VERSION=12.4.1"])
    return writer.write_archive(str(tmp_path / "image.tar"), saved)


def test_a_fault_is_told_with_the_layer_that_brought_it(place, capsys):
    assert run(["image", "check", place, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    (found,) = (one for one in told["findings"] if one["id"] == "I-BOUNDARY-1")
    assert found["paths"] == ["/usr/lib/libcuda.so.550.54.15"]
    assert (found["layer"], found["layer_command"]) == (1, "RUN apt-get install libcuda1 cuda-nvcc-12-4")
    assert found["layer_digest"].startswith("sha256:")
    assert found["bytes"] == len(DRIVER)


def test_advice_goes_by_what_the_program_links_to(place, capsys):
    assert run(["image", "advise", place, "--json", "--driver", "535"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["base"]["image"] == "nvidia/cuda:12.4.1-base-ubuntu22.04"
    assert told["base"]["reasons"] == ["/app/train links to libcudart.so.12"]
    assert {one["key"]: one["bytes"] for one in told["savings"]} == {
        "driver": len(DRIVER),
        "hidden": 5000,
        "tools": len(library()),
    }
    assert told["fleet"]["fit"] == "starts"
    assert [layer["command"] for layer in told["layers"]][2] == "COPY app /app"


def test_a_broken_image_cannot_be_read(tmp_path, capsys):
    place = writer.write_layout(str(tmp_path / "layout"), LAYERS)
    (tmp_path / "layout/index.json").write_text("{")
    assert run(["image", "check", place]) == 3
    assert run(["image", "advise", place]) == 3
    assert capsys.readouterr().err.count("linkspan: ") == 2
