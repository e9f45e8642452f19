"""musl's loader: it has no cache, and searches the folders of ``/etc/ld-musl-ARCH.path`` for a file of the name.

So the links that stand in those folders are what makes ``libcuda.so.1`` found (musl, ldso/dynlink.c).
"""

from linkspan.kernel import paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from linkspan.kernel.walk import Owner

MAX_PATH_FILE = 64 << 10
FOLDERS = ("/lib", "/usr/local/lib", "/usr/lib")
"""Where musl searches where there is no path file; where there is one it searches only what that lists."""

_ARCHITECTURES = {
    ("x86_64", 64): "x86_64",
    ("x86_64", 32): "i386",
    ("aarch64", 64): "aarch64",
    ("aarch64", 32): "armhf",
}


def update(root_fd: int, arch: str, bits: int, folders: "Iterable[str]", owner: "Owner" = None) -> bool:
    """Put ``folders`` before those that musl searches, which stay; False where the root has no such musl.

    The root is judged by its loader, which every Alpine has, and other images of musl too.
    """
    name = _ARCHITECTURES.get((arch, bits))
    if name is None or paths.look(root_fd, f"/lib/ld-musl-{name}.so.1") is None:
        return False
    path = f"/etc/ld-musl-{name}.path"
    data = paths.content(root_fd, path, MAX_PATH_FILE)
    listed = list(FOLDERS) if data is None else _parse(data.decode("utf-8", "surrogateescape"))
    wanted = list(dict.fromkeys([*folders, *listed]))
    if data is None and set(wanted) == set(FOLDERS):
        return True
    if wanted != listed:
        text = "\n".join(wanted) + "\n"
        paths.write_file(root_fd, path, text.encode("utf-8", "surrogateescape"), owner=owner)
    return True


def _parse(text: str) -> "list[str]":
    return [folder for folder in text.replace(":", "\n").split("\n") if folder]
