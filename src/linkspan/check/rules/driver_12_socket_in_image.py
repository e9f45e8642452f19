"""The image has a file where the socket of nvidia-persistenced is to be mounted, and it is a socket itself."""

from collections.abc import Iterator

from linkspan.check.failed_starts import failed, kept
from linkspan.check.model import Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene

_ERROR = r"file creation failed: \S*/run/nvidia-persistenced/socket: no such device or address"


def _look(scene: Scene) -> Iterator[Found]:
    for record, _ in failed(scene, _ERROR):
        yield Found(
            cause=f"the image {record.image} has a socket at /run/nvidia-persistenced/socket, where the host's belongs",
            evidence=(kept(record),),
            remedy=Remedy(
                text="build the image anew without it, never by committing a container that has GPUs; until then end "
                "its Dockerfile with RUN rm -rf /run/nvidia-persistenced"
            ),
            about=record.title,
        )


RULE = Rule(id="D-DRIVER-12", link="image", severity="error", look=_look)
