import msgspec
import pytest

from linkspan.demo.scenes import ENXIO, EPERM, HostGpu, Library, Node, Seen, problems, scenes

GPUS = [HostGpu(index=i, uuid=f"GPU-0000000{i}", node=f"/dev/nvidia{i}", major=195, minor=i) for i in range(4)]
SOME = scenes(range(4))[1]
GOOD = Seen(
    library=Library(path="/usr/lib/libcuda.so.550", host_path="/host/usr/lib/libcuda.so.550"),
    nodes=tuple(
        Node(path=gpu.node, given=gpu.index in (0, 2), errno=ENXIO if gpu.index in (0, 2) else EPERM) for gpu in GPUS
    ),
    smi=("GPU 0: NVIDIA H100 (UUID: GPU-00000000)", "GPU 1: NVIDIA H100 (UUID: GPU-00000002)"),
)


def with_node(index, **changes):
    nodes = list(GOOD.nodes)
    nodes[index] = msgspec.structs.replace(nodes[index], **changes)
    return msgspec.structs.replace(GOOD, nodes=tuple(nodes))


def test_the_commands_are_the_guides_to_the_letter():
    assert [scene.command for scene in scenes(range(8))] == [
        "docker run --rm --gpus all nvidia/cuda:12.1.1-base-ubuntu22.04 nvidia-smi",
        "docker run --rm --gpus '\"device=0,2\"' nvidia/cuda:12.1.1-base-ubuntu22.04 nvidia-smi",
        "docker run --rm --runtime=nvidia -e NVIDIA_VISIBLE_DEVICES=0 nvidia/cuda:12.1.1-base-ubuntu22.04 nvidia-smi",
        "docker run --rm --gpus 'all,\"capabilities=compute,utility\"' nvidia/cuda:12.1.1-base-ubuntu22.04 nvidia-smi",
    ]


@pytest.mark.parametrize(
    ("indices", "second"),
    [((0, 1, 2, 3), (0, 2)), ((0, 1), (0, 1)), ((0,), (0,)), ((1, 2, 5), (1, 5))],
)
def test_a_host_is_asked_only_for_gpus_that_it_has(indices, second):
    found = scenes(indices)
    assert [scene.gpus for scene in found] == [indices, second, indices[:1], indices]
    assert found[1].env == (f"NVIDIA_VISIBLE_DEVICES={','.join(map(str, second))}",)


def test_a_container_that_saw_what_it_asked_for_has_no_problem():
    assert problems(SOME, GPUS, GOOD) == ()


@pytest.mark.parametrize(
    ("seen", "problem"),
    [
        (msgspec.structs.replace(GOOD, smi=GOOD.smi[:1]), "nvidia-smi does not show GPU 2"),
        (msgspec.structs.replace(GOOD, smi=(*GOOD.smi, "GPU 2: x (UUID: GPU-00000001)")), "nvidia-smi shows GPU 1"),
        (
            msgspec.structs.replace(GOOD, library=Library(path="", error="cannot open shared object file")),
            "libcuda.so.1 cannot be loaded: cannot open shared object file",
        ),
        (
            msgspec.structs.replace(GOOD, library=Library(path="/usr/lib/libcuda.so.1")),
            "/usr/lib/libcuda.so.1 is not a file of the host's driver",
        ),
        (with_node(0, given=False), "/dev/nvidia0 is not there"),
        (with_node(1, given=True), "/dev/nvidia1 is there"),
        (with_node(2, errno=EPERM), "/dev/nvidia2 cannot be opened"),
        (with_node(3, errno=ENXIO), "/dev/nvidia3 can be opened"),
        (with_node(3, errno=0), "/dev/nvidia3 can be opened"),
    ],
)
def test_each_thing_that_is_not_as_it_has_to_be_is_a_sentence(seen, problem):
    assert problems(SOME, GPUS, seen) == (problem,)
