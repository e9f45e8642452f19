"""One injection, two spellings of its work: the document and the hook's arguments say the same."""

import pytest

from linkspan.emit import operations
from linkspan.errors import FormatError
from linkspan.facts.model import DeviceNode, Link
from linkspan.formats import hookargs
from linkspan.plan.model import Injection, Loadable


def node(minor: int, path: str = "") -> DeviceNode:
    path = path or f"/dev/nvidia{minor}"
    return DeviceNode(path=path, host_path=path, major=195, minor=minor)


FULL = Injection(
    devices=(node(3), node(0), node(255, "/dev/nvidiactl"), node(254, "/dev/nvidia-modeset")),
    links=(Link(path="/usr/lib/libcuda.so.1", target="libcuda.so.550"), Link(path="/l", target="../x y")),
    loadables=(Loadable(path="/usr/lib/libcuda.so.1"), Loadable(path="/usr/lib32/libcuda.so.1", bits=32)),
    driver_version="550.163.01",
    cuda_version="12.4",
    compat_root="/usr/local/cuda/compat_orin",
    application_profile=True,
    mask_params=True,
)


def test_the_hooks_arguments_read_back_are_the_document():
    document = operations.work(FULL, "x86_64")
    read_back = hookargs.parse(operations.hook_arguments(FULL), "x86_64")
    assert read_back.pop("mask_params") is True
    assert read_back.pop("profile") is True
    assert document.pop("profile") == [0, 3]  # the hook sees for itself which GPUs its container has
    assert read_back == document


def test_an_injection_without_work_has_neither_document_nor_arguments():
    assert operations.work(Injection(devices=(node(0),)), "x86_64") == {}
    assert operations.hook_arguments(Injection(devices=(node(0),))) == []


def test_a_hook_entry_never_leaves_its_environment_to_the_container():
    entry = operations.hook("/usr/bin/linkspan-hook", ["--mask-params"])
    assert entry["env"]
    assert entry["args"] == ["linkspan-hook", "create-container", "--mask-params"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--link"], "--link has no value"),
        (["--link", "a:b"], "not TARGET::LINK"),
        (["--link", "::/l"], "not TARGET::LINK"),
        (["--link", "t::"], "not TARGET::LINK"),
        (["--link", "t::a::b"], "not TARGET::LINK"),
        (["--chmod", "0777"], "does not know the argument --chmod"),
    ],
)
def test_arguments_that_we_do_not_write_are_refused(arguments, reason):
    with pytest.raises(FormatError, match=reason):
        hookargs.parse(arguments, "x86_64")
