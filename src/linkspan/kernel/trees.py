"""Folders of our own on the host: made, and taken away again."""

import os
import shutil

from linkspan.errors import KernelError


def make_folders(path: str, mode: int = 0o755) -> None:
    """Make a folder and those above it, where they are not there yet. KernelError where that is not possible."""
    try:
        os.makedirs(path, mode, exist_ok=True)
    except OSError as error:
        raise KernelError(f"cannot make the folder {path}: {error.strerror}", subject=path) from None


def remove_tree(path: str) -> bool:
    """Take away a folder and all below it, following no symlink; False where it was not there."""
    try:
        shutil.rmtree(path)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise KernelError(f"cannot remove {error.filename or path}: {error.strerror}", subject=path) from None
    return True


def remove_file(path: str) -> bool:
    """Take away a file; False where it was not there."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise KernelError(f"cannot remove {path}: {error.strerror}", subject=path) from None
    return True
