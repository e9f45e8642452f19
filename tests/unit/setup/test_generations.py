"""GPU generations by PCI id."""

import json

import pytest

from linkspan.check.eyes import Ledger, live
from linkspan.setup import generations
from linkspan.setup.generations import NEWER
from tests import hosts


@pytest.mark.parametrize(
    ("number", "name", "modules"),
    [
        (0x0615, "older than Kepler", "proprietary"),  # GeForce GTS 250
        (0x1140, "older than Kepler", "proprietary"),  # Fermi between two Keplers
        (0x102D, "Kepler", "proprietary"),  # Tesla K80
        (0x13F2, "Maxwell", "proprietary"),  # Tesla M60
        (0x17FD, "Maxwell", "proprietary"),  # Tesla M40
        (0x15F8, "Pascal", "proprietary"),  # Tesla P100
        (0x1B38, "Pascal", "proprietary"),  # Tesla P40
        (0x1DB6, "Volta", "proprietary"),  # Tesla V100
        (0x1EB8, "Turing", "either"),  # Tesla T4
        (0x2184, "Turing", "either"),  # GeForce GTX 1660
        (0x2189, "Turing (CMP)", "proprietary"),  # CMP 30HX
        (0x20B2, "Ampere", "either"),  # A100 80 GB
        (0x2236, "Ampere", "either"),  # A10
        (0x25B6, "Ampere", "either"),  # A16
        (0x2684, "Ada", "either"),  # GeForce RTX 4090
        (0x27B8, "Ada", "either"),  # L4
        (0x2330, "Hopper", "either"),  # H100
        (0x2342, "Grace Hopper", "open"),  # GH200
        (0x2901, "Blackwell", "open"),  # B200
        (0x2B85, "Blackwell", "open"),  # GeForce RTX 5090
        (0x2E12, "Blackwell (GB10)", "open"),
        (0x3182, "Blackwell Ultra", "open"),  # B300
        (0x3300, "newer than Blackwell", "open"),
    ],
)
def test_a_pci_id_tells_the_generation(number, name, modules):
    found = generations.by_number(number)
    assert (found.name, found.modules) == (name, modules)


@pytest.mark.parametrize("name", ["MAXWELL", "PASCAL", "VOLTA"])
def test_580_is_the_last_branch_before_turing(name):
    assert getattr(generations, name).last == 580


def test_ranges_do_not_overlap_but_where_one_stands_within_another():
    for first, last, _ in generations._RANGES:
        assert first <= last
    found = [generations.by_number(first).name == one.name for first, _, one in generations._RANGES]
    assert all(found)


def product(tmp_path, chips, device_id):
    text = chips if isinstance(chips, str) else json.dumps({"chips": chips})
    hosts.make(tmp_path, {"/usr/share/nvidia/supported-gpus/supported-gpus.json": text})
    return generations.of(live(str(tmp_path), Ledger()), device_id)


def test_the_drivers_own_list_gives_the_name(tmp_path):
    chip = {"devid": "0x2330", "name": "NVIDIA H100 80GB HBM3", "features": ["kernelopen"]}
    assert product(tmp_path, [chip], "0x2330").name == "NVIDIA H100 80GB HBM3"


def test_of_a_gpu_that_the_table_does_not_know_the_list_tells_the_modules(tmp_path):
    chip = {"devid": "0x3300", "name": "NVIDIA New", "features": ["dpycbcr420"]}
    assert product(tmp_path, [chip], "0x3300").generation == NEWER._replace(modules="proprietary")


@pytest.mark.parametrize("text", ["{", "[]", '{"chips": [{"devid": "zz", "name": "x"}]}', '{"chips": 5}'])
def test_a_list_that_cannot_be_followed_is_no_list(tmp_path, text):
    assert product(tmp_path, text, "0x2330").name == "Hopper GPU (PCI id 10de:2330)"
