"""The kernel's own messages of this start, from /dev/kmsg: many systems keep them in no file that can be read.

Each read(2) gives a record, ``6,339,5140900,-;NVRM: loading …`` and then lines of properties: facility and level,
number, microseconds since the start, flags (Documentation/ABI/testing/dev-kmsg). Reading takes nothing away.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterator

from linkspan.facts.host import HostReader

PATH = "/dev/kmsg"
_DEVICE = os.makedev(1, 11)
"""Documentation/admin-guide/devices.txt."""
_RECORD = 8192
"""The longest record (CONSOLE_EXT_LOG_MAX)."""
_MOST_RECORDS = 100_000


def messages(host: HostReader, path: str = PATH) -> Iterator[str]:
    """The messages, oldest first, each with its seconds; none where there is no such device or it may not be read."""
    try:
        descriptor = os.open(host.root + path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        found = os.fstat(descriptor)
        if stat.S_ISCHR(found.st_mode) and found.st_rdev == _DEVICE:
            yield from read_all(lambda: os.read(descriptor, _RECORD))
    finally:
        os.close(descriptor)


def read_all(read: Callable[[], bytes]) -> Iterator[str]:
    """The kernel's messages among the records that ``read`` gives, until it raises that there are no more."""
    for _ in range(_MOST_RECORDS):
        try:
            record = read()
        except OSError as error:
            if (
                error.errno == errno.EPIPE
            ):  # overwritten before it was read: the next read gives the oldest that is left
                continue
            return
        message = _message(record.decode("utf-8", "replace"))
        if message:
            yield message


def _message(record: str) -> str:
    head, _, text = record.partition(";")
    level, _, rest = head.partition(",")
    microseconds = rest.partition(",")[2].partition(",")[0]
    if not (level.isdecimal() and microseconds.isdecimal()) or int(level) >> 3:  # what programs wrote, not the kernel
        return ""
    return f"[{int(microseconds) / 1e6:12.6f}] {text.partition(chr(10))[0]}"
