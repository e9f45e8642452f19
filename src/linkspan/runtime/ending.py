"""How the programs of the start path that are hooks end: with a code, and one line about whatever went wrong."""

import posix as os

from linkspan.errors import LinkspanError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn


def end_with(work: "Callable[[], int]", program: str, *, debug: bool = False) -> "NoReturn":
    """Do the work, and end the process with the exit code that it gives; with 1, and a line of this program, on errors.

    ``debug`` lets the error through, with its traceback. That is not read from a variable here: the environment of some
    hooks is a container's.
    """
    try:
        code = work()
    except Exception as error:  # whatever it is: the engine shows one line of it, and a traceback has many
        if debug:
            raise
        from linkspan.runtime import report  # most runs have nothing to report

        report.failure(error if isinstance(error, LinkspanError) else report.unforeseen(error), program=program)
        code = 1
    # There is nothing to flush, and tidying up the interpreter takes another millisecond.
    os._exit(code)
