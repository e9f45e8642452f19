"""Folders of our own on the host: made, and taken away again."""

import os
import shutil
from collections.abc import Callable

from linkspan.errors import KernelError


def make_folders(path: str, mode: int = 0o755) -> None:
    """Make a folder and those above it, where they are not there yet. KernelError where that is not possible."""
    try:
        os.makedirs(path, mode, exist_ok=True)
    except OSError as error:
        raise KernelError(f"cannot make the folder {path}: {error.strerror}", subject=path) from None


def rename(path: str, to: str) -> None:
    """Give something another name in one step. KernelError where that is not possible."""
    try:
        os.rename(path, to)
    except OSError as error:
        raise KernelError(f"cannot rename {path} to {to}: {error.strerror}", subject=path) from None


def make_link(target: str, path: str) -> None:
    """Make a symlink. KernelError where that is not possible."""
    try:
        os.symlink(target, path)
    except OSError as error:
        raise KernelError(f"cannot make the link {path}: {error.strerror}", subject=path) from None


def replace_link(target: str, path: str) -> None:
    """Make a symlink in the place of the one that is there, in one step. KernelError where that is not possible."""
    unfinished = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.{os.urandom(8).hex()}")
    make_link(target, unfinished)
    try:
        rename(unfinished, path)
    except KernelError:
        remove_file(unfinished)
        raise


def remove_tree(path: str) -> bool:
    """Take away a folder and all below it, following no symlink; False where it was not there."""
    return _remove(shutil.rmtree, path)


def remove_file(path: str) -> bool:
    """Take away a file; False where it was not there."""
    return _remove(os.unlink, path)


def _remove(take_away: Callable[[str], None], path: str) -> bool:
    try:
        take_away(path)
    except FileNotFoundError:
        return False
    except OSError as error:
        # Where a part of a tree refuses, its bare name is all that the error has.
        part = f" ({error.filename})" if error.filename not in (None, path) else ""
        raise KernelError(f"cannot remove {path}{part}: {error.strerror}", subject=path) from None
    return True
