"""The image was made while a driver was mounted in it: the mounts' targets stayed behind, empty."""

from collections.abc import Iterator

from linkspan.check.inside import Found as Library
from linkspan.check.inside import Inside
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene


def _look(scene: Scene) -> Iterator[Found]:
    for inside in scene.gpu_containers:
        left = [one for one in inside.baked if _is_left(one, inside, scene.loaded_driver)]
        if left:
            yield Found(
                cause=f"{len(left)} files of a driver in the image are empty or lead nowhere, {left[0].path} for one",
                evidence=tuple(_evidence(one, inside) for one in left[:3]),
                remedy=Remedy(
                    text="build the image with runc as the default runtime, never by committing a container that has "
                    f"GPUs; until then end its Dockerfile with RUN rm -f {' '.join(one.path for one in left[:6])}"
                ),
                about=inside.container.name,
            )


def _is_left(one: Library, inside: Inside, driver: str) -> bool:
    if one.kind == "file":
        return not one.size
    target = (inside.container.root.link(one.path) or "").rpartition("/")[2]
    version = target.rpartition(".so.")[2]
    return not one.real and version.count(".") >= 1 and version != driver


def _evidence(one: Library, inside: Inside) -> Evidence:
    subject = f"/proc/{inside.container.pid}/root{one.path}"
    if one.kind == "file":
        return Evidence(subject=subject, field="size", value=str(one.size))
    return Evidence(subject=subject, field="link to", value=inside.container.root.link(one.path) or "")


RULE = Rule(id="D-IMAGE-2", link="image", severity="warning", look=_look)
