"""CUDA_VISIBLE_DEVICES of a container names a GPU by the host's number, which the container does not have."""

from collections.abc import Iterator

from linkspan.check.inside import Inside
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene

_VISIBLE, _ORDER = "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"


def _look(scene: Scene) -> Iterator[Found]:
    for inside in scene.gpu_containers if scene.loaded_driver else ():
        env, count = inside.container.env, len(scene.gpus_of(inside))
        numbers = [int(word) for word in env.get(_VISIBLE, "").split(",") if word.isascii() and word.isdigit()]
        if count and numbers and max(numbers) >= count and not _uses_mig(inside):
            yield _beyond(inside, env[_VISIBLE], count)
        elif numbers and _are_mixed(scene, inside) and env.get(_ORDER) != "PCI_BUS_ID":
            yield _mixed(scene, inside)


def _uses_mig(inside: Inside) -> bool:
    """A GPU cut into MIG devices counts several times."""
    return bool(inside.container.root.names("/dev/nvidia-caps"))


def _are_mixed(scene: Scene, inside: Inside) -> bool:
    return len({gpu.name for gpu in scene.gpus_of(inside)}) > 1


def _variable(inside: Inside, name: str) -> Evidence:
    container = inside.container
    return Evidence(
        subject=f"/proc/{container.pid}/environ", field=name, value=container.env.get(name, "") or "not set"
    )


def _beyond(inside: Inside, value: str, count: int) -> Found:
    return Found(
        cause=f"{_VISIBLE}={value} names a GPU beyond the {count} of the container, which are counted from 0 in it",
        evidence=(
            _variable(inside, _VISIBLE),
            Evidence(subject=f"/proc/{inside.container.pid}/root/dev", field="GPUs", value=str(count)),
        ),
        remedy=Remedy(text=f"leave {_VISIBLE} out: what the container was given is all that it sees, or name UUIDs"),
        about=inside.container.name,
    )


def _mixed(scene: Scene, inside: Inside) -> Found:
    names = ", ".join(sorted({gpu.name for gpu in scene.gpus_of(inside)}))
    return Found(
        cause=f"{_VISIBLE} counts the GPUs by their speed here, and nvidia-smi by their PCI address: {names}",
        evidence=(_variable(inside, _VISIBLE), _variable(inside, _ORDER)),
        remedy=Remedy(text=f"set {_ORDER}=PCI_BUS_ID in the container, or name the GPUs by UUID"),
        about=inside.container.name,
    )


RULE = Rule(id="D-IMAGE-10", link="image", severity="warning", look=_look)
