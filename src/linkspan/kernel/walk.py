"""Walks a path below a root descriptor, as a process inside that root would; it cannot lead out of it.

An image decides what stands below the root of its container, and may change it while we work. So a path is walked
component by component on descriptors that follow no symlink. The text of a link is walked in the same way, an absolute
one from the root; ``..`` goes back to the descriptor that we came from, and stops at the root. It is what chroot(2)
gives, without one.

Missing folders are made where the walk stands, also behind a dangling link: that is where the low-level runtime makes
its mount points, and so where the files that we prepare for are going to be.
"""

import _stat as stat
import errno
import posix as os

from linkspan.errors import KernelError, UnsafePath
from linkspan.kernel import mountid

TYPE_CHECKING = False
if TYPE_CHECKING:
    Owner = tuple[int, int] | None
    """The (uid, gid) of what is created; None for our own."""

MAX_LINKS = 40
"""Symlinks followed for one path: the kernel's own limit, see path_resolution(7)."""
MAX_STEPS = 256
"""Components walked for one path, those of links included."""

LOOK = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = LOOK | os.O_DIRECTORY


class Walk:
    """One walk: the descriptors of the folders gone through, the last one is where it stands."""

    __slots__ = ("_create", "_fds", "_left", "_links", "_mode", "_owner", "_path", "_root", "_todo", "names")

    def __init__(self, root_fd: int, create: bool = False, owner: "Owner" = None, mode: int = 0o755) -> None:
        self._root = root_fd
        self._create = create
        self._owner = owner
        self._mode = mode
        self._fds: list[int] = []
        self.names: list[str] = []
        self._todo: list[str] = []
        self._links = 0
        self._left = MAX_STEPS
        self._path = ""

    def folder(self, path: str) -> int:
        """The folder at the end of the path, as a descriptor of its own."""
        self._path = path
        self._plan(path)
        while self._todo:
            self._enter(self._next())
        return self._fds.pop() if self._fds else os.dup(self._root)

    def own_folder(self, path: str) -> int:
        """The folder at the end of the path, to write into: UnsafePath where a symlink led into another mount."""
        fd = self.folder(path)
        try:
            self._stay_on_the_roots_mount(fd)
        except UnsafePath:
            os.close(fd)
            raise
        return fd

    def end(self, path: str) -> "tuple[int, os.stat_result]":
        """Whatever is at the end of the path, links followed."""
        name, fd = self._last(path)
        if not name:
            fd = self._fds.pop() if self._fds else os.dup(self._root)
        elif fd < 0:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return fd, os.fstat(fd)

    def place(self, path: str) -> "tuple[int, str, int]":
        """A place for a mount or a node: its folder, its last name, and what stands there, links followed.

        What stands there is -1 where nothing does: also behind a dangling link, whose own place it is then. Folders
        that are missing are made.
        """
        name, fd = self._last(path)
        if not name:
            raise UnsafePath(f"the path {path!r} does not end in a name", subject=path)
        if fd < 0:
            self._stay_on_the_roots_mount(self._here())
        return os.dup(self._here()), name, fd

    def _last(self, path: str) -> "tuple[str, int]":
        """Walk to the last name that the path leads to, links followed; what stands there, -1 where nothing does.

        There is no name where the path ends in ``..`` or at the root: then it is the folder where the walk stands.
        """
        self._path = path
        self._plan(path)
        while self._todo:
            part = self._next()
            if self._todo or part == "..":
                self._enter(part)
                continue
            try:
                fd = os.open(part, LOOK, dir_fd=self._here())
            except FileNotFoundError:
                return part, -1
            if not stat.S_ISLNK(os.fstat(fd).st_mode):
                return part, fd
            try:
                self._follow(os.readlink("", dir_fd=fd))
            finally:
                os.close(fd)
        return "", -1

    def close(self) -> None:
        """Let go of every folder."""
        for fd in self._fds:
            os.close(fd)

    def _here(self) -> int:
        return self._fds[-1] if self._fds else self._root

    def _plan(self, path: str) -> None:
        if "\0" in path:
            raise UnsafePath(f"the path {path!r} holds a zero byte", subject=path)
        # Reversed, so that the next one is popped and a link's text goes on top.
        self._todo += [part for part in reversed(path.split("/")) if part not in ("", ".")]

    def _next(self) -> str:
        self._left -= 1
        if self._left < 0:
            raise UnsafePath(f"{self._path} leads through more than {MAX_STEPS} folders", subject=self._path)
        return self._todo.pop()

    def _enter(self, part: str) -> None:
        if part == "..":
            if self._fds:
                os.close(self._fds.pop())
                self.names.pop()
            return
        try:
            fd = os.open(part, _FOLDER, dir_fd=self._here())
        except FileNotFoundError:
            if not self._create:
                raise
            fd = self._make(part)
        except NotADirectoryError:
            text = link_text(self._here(), part)
            if text is None:
                raise
            self._follow(text)
            return
        self._fds.append(fd)
        self.names.append(part)

    def _make(self, part: str) -> int:
        self._stay_on_the_roots_mount(self._here())
        mode = 0o755 if self._todo else self._mode
        before = os.umask(0)
        try:
            os.mkdir(part, mode, dir_fd=self._here())
        finally:
            os.umask(before)
        fd = os.open(part, _FOLDER, dir_fd=self._here())
        try:
            if self._owner is not None:
                _give_away(fd, self._owner)
        except OSError:
            os.close(fd)
            raise
        return fd

    def _stay_on_the_roots_mount(self, fd: int) -> None:
        """Refuse to write where a symlink of the image led into another mount.

        What is mounted in a container, such as a volume, is somebody's on purpose, and may be one that the container
        itself cannot write. Who mounts it at ``/etc`` means ``/etc``; an image that has a link from there to it decides
        nothing. File systems in memory are the container's own: ``/var/run`` is a link to one in most images.
        """
        if self._links and (mount := mountid.of(fd)) != mountid.of(self._root):
            row = mountid.rows().get(mount)
            if row is None or mountid.kind(row) != b"tmpfs":
                raise UnsafePath(
                    f"a symlink of the image leads from {self._path} into another mount", subject=self._path
                )

    def _follow(self, text: str) -> None:
        self._links += 1
        if self._links > MAX_LINKS:
            raise UnsafePath(f"{self._path} leads through more than {MAX_LINKS} symlinks", subject=self._path)
        if text.startswith("/"):
            self.close()
            self._fds.clear()
            self.names.clear()
        self._plan(text)


def _give_away(folder: int, owner: "tuple[int, int]") -> None:
    """Change the owner of a folder that was just made. Another one may have its name by now; that one is not empty."""
    inside = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
    try:
        if os.listdir(inside):
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        os.fchown(inside, *owner)
    finally:
        os.close(inside)


def link_text(folder: int, name: str) -> "str | None":
    """The text of the symlink of that name; None where there is none."""
    try:
        return os.readlink(name, dir_fd=folder)
    except OSError:
        return None


def failed(verb: str, path: str, error: OSError) -> KernelError:
    """The error that says which step of ours the kernel refused, and why."""
    hint = ""
    if error.errno == errno.EROFS:
        hint = "keep the root filesystem writable until the container is created; --read-only takes effect after that"
    return KernelError(f"cannot {verb} {path} in the container: {error.strerror}", hint=hint, subject=path)
