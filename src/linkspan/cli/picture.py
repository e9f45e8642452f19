"""What the commands that draw a chain have in common: the picture at the terminal, and files written whole."""

import os

from linkspan.cli import output
from linkspan.errors import RequestError
from linkspan.explain import drawing
from linkspan.explain.chain import Chain
from linkspan.kernel import files


def show(chain: Chain) -> None:
    """Draw a chain at the terminal, in ASCII where that knows no more."""
    output.show(drawing.render(chain, ascii=is_ascii(output.stdout().encoding)))


def is_ascii(encoding: str) -> bool:
    """Whether an encoding lacks the characters that pictures are drawn with."""
    return not encoding.lower().replace("_", "-").startswith("utf-")


def write(path: str, text: str) -> None:
    """Write a page or a picture to a file, whole or not at all; say where it is.

    A symlink is followed, a device or pipe is written to as it stands. RequestError where ``path`` is a folder,
    KernelError where the file cannot be written.
    """
    if os.path.isdir(path):
        raise RequestError(f"{path} is a folder", hint="name a file", subject=path)
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    else:
        files.write_whole(os.path.realpath(path), text.encode())
    output.stderr().print(f"written: {path}", markup=False)
