"""Pods, as Kubernetes starts them: containerd's CRI with a RuntimeClass for linkspan's runtime, and with CDI names."""

import grpc
import pytest

from tests.debian import UnavailableError
from tests.engines import images, inside
from tests.engines.containerd import HANDLER, Containerd
from tests.engines.cri import Cri

pytestmark = [pytest.mark.privileged, pytest.mark.xdist_group("engines")]

RUNC = ""
"""The handler of pods that name no RuntimeClass."""


@pytest.mark.parametrize(("request_", "gpus"), [("0,2", (0, 2)), (inside.gpu_uuids([5])[0], (5,)), ("all", range(8))])
def test_a_pod_with_our_runtime_class_sees_exactly_the_gpus_asked_for(
    cri: Cri, request_: str, gpus: tuple[int, ...]
) -> None:
    with cri.pod(HANDLER) as pod:
        container = cri.start(pod, images.CUDA, {"NVIDIA_VISIBLE_DEVICES": request_})
        printed = cri.run(container, inside.list_and_open(*inside.LIBRARIES))
    assert inside.sees(printed, gpus)
    assert inside.opened(printed, *inside.LIBRARIES), printed


def test_it_can_open_no_other_nodes(cri: Cri) -> None:
    with cri.pod(HANDLER) as pod:
        container = cri.start(pod, images.CUDA, {"NVIDIA_VISIBLE_DEVICES": "0,2"})
        assert inside.answers(cri.run(container, inside.open_nodes())) == inside.only_minors((0, 2))


def test_containers_of_one_pod_see_what_each_of_them_asked_for(cri: Cri) -> None:
    with cri.pod(HANDLER) as pod:
        for gpu in (1, 2):
            container = cri.start(pod, images.CUDA, {"NVIDIA_VISIBLE_DEVICES": str(gpu)}, name=f"app{gpu}")
            assert inside.sees(cri.run(container, inside.LIST_GPUS), (gpu,))


def test_a_refusal_is_what_the_kubelet_is_told(cri: Cri) -> None:
    with cri.pod(HANDLER) as pod, pytest.raises(grpc.RpcError) as error:
        cri.start(pod, images.CUDA, {"NVIDIA_VISIBLE_DEVICES": "17"})
    assert 'linkspan-runtime: "17" was asked for, but this host has GPUs 0, 1, ' in error.value.details()


def test_a_pod_without_a_runtime_class_gets_nothing_of_ours(cri: Cri) -> None:
    with cri.pod(RUNC) as pod:
        container = cri.start(pod, images.CUDA, {})
        assert "nvidia" not in cri.run(container, ("ls", "/dev"))


def test_a_pod_gets_the_devices_that_a_device_plugin_names_by_cdi(containerd: Containerd, cri: Cri) -> None:
    if containerd.host.release == "bookworm":
        raise UnavailableError("the CRI of containerd 1.6 does not know CDI")
    with cri.pod(RUNC) as pod:
        container = cri.start(pod, images.CUDA, {}, ["nvidia.com/gpu=0", "nvidia.com/gpu=2"])
        printed = cri.run(container, inside.list_and_open(*inside.LIBRARIES))
        assert inside.answers(cri.run(container, inside.open_nodes())) == inside.only_minors((0, 2))
    assert inside.sees(printed, (0, 2))
    assert inside.opened(printed, *inside.LIBRARIES), printed
