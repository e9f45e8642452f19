"""The driver's parameters, masked; the mounts themselves are tested in tests/privileged/test_params.py."""

import os
from pathlib import Path

import pytest

from linkspan.errors import KernelError
from linkspan.kernel import mounts, params
from tests.unit.kernel import roots

TEXT = b"ResmanDebugLevel: 4294967295\nModifyDeviceFiles: 1\nDeviceFileMode: 438\n"


def test_device_nodes_are_left_alone_and_the_rest_stays() -> None:
    assert params.masked(TEXT) == TEXT.replace(b"Files: 1", b"Files: 0")


@pytest.mark.parametrize("text", [b"", b"ModifyDeviceFiles: 0\n", b"Files: 1\n", b"ModifyDeviceFiles: 10\n"])
def test_parameters_that_say_so_already_or_say_nothing_stay(text: bytes) -> None:
    assert params.masked(text) is None


@pytest.mark.parametrize("tree", [{}, {params.PATH: "ModifyDeviceFiles: 0\n"}, {params.PATH: ""}, {params.PATH: None}])
def test_a_container_without_any_is_left_alone(
    root: Path, root_fd: int, tree: dict[str, str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(mounts, "mount")
    before = roots.snapshot(roots.make(root, tree))
    params.mask_params(root_fd)
    assert roots.snapshot(root) == before


def test_what_the_kernel_refuses_is_one_sentence(root: Path, root_fd: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, os.strerror(1))

    monkeypatch.setattr(mounts, "call", refuse)
    roots.make(root, {params.PATH: TEXT})
    with pytest.raises(KernelError, match=f"cannot cover {params.PATH} in the container: Operation not permitted"):
        params.mask_params(root_fd)
