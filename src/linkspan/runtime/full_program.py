"""Starts the full program as a second process, where no ready-made edits are found.

It is started without the engine's environment, reads config.json from its standard input and answers with one JSON
document, also where it fails. A driver that hangs would hang it too, so it is given a time.
"""

import posix as os
import select
import time

from linkspan.errors import FormatError, HostError, LinkspanError
from linkspan.formats import fastjson

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from linkspan.runtime.lookup import Setup

TIME_LIMIT_S = 60.0
"""A driver that initialises eight GPUs without persistence takes up to half of this."""

_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}


def run_full_program(
    setup: "Setup", caller: str, config_path: str, search_path: str, config_json: bytes
) -> "dict[str, Any]":
    """The full program's answer: ``switches``, ``edits`` and their ``stamps``.

    Raises the LinkspanError that it answers with.
    """
    arguments = ["--caller", caller, "--state-dir", setup.state, "--config", config_path, "--search-path", search_path]
    output = _converse([*setup.full_program, *arguments], config_json)
    try:
        answer = fastjson.loads(output.decode())
    except (ValueError, FormatError):
        answer = None
    if not isinstance(answer, dict):
        raise LinkspanError("the program that makes the edits ended without an answer", subject=setup.full_program[0])
    if "error" in answer:
        error = LinkspanError(answer["error"]["message"], hint=answer["error"]["hint"])
        error.code = answer["error"]["code"]  # type: ignore[misc]  # the kind of error crosses the pipe as its code
        raise error
    return answer


def _converse(argv: "list[str]", data: bytes) -> bytes:
    """Start the program, write it the data, read all that it answers; kill it when its time is up."""
    in_read, in_write = os.pipe2(os.O_CLOEXEC)
    out_read, out_write = os.pipe2(os.O_CLOEXEC)
    actions = [(os.POSIX_SPAWN_DUP2, in_read, 0), (os.POSIX_SPAWN_DUP2, out_write, 1)]
    try:
        pid = os.posix_spawn(argv[0], argv, _ENVIRONMENT, file_actions=actions)
    except OSError as error:
        hint = "run 'linkspan install' again, as root if it is root's"
        raise LinkspanError(f"cannot start {argv[0]}: {error.strerror}", hint=hint) from None
    os.close(in_read)
    os.close(out_write)
    try:
        return _exchange(in_write, out_read, data)
    except HostError:
        os.kill(pid, 9)
        raise
    finally:
        os.close(out_read)
        os.waitpid(pid, 0)


def _exchange(in_write: int, out_read: int, data: bytes) -> bytes:
    deadline = time.monotonic() + TIME_LIMIT_S
    poll = select.poll()
    poll.register(out_read, select.POLLIN)
    poll.register(in_write, select.POLLOUT)
    os.set_blocking(in_write, False)
    left = memoryview(data)
    parts: list[bytes] = []
    while True:
        events = poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
        if not events:
            raise HostError(f"the driver did not answer within {TIME_LIMIT_S:.0f} s", hint="does nvidia-smi answer?")
        for descriptor, event in events:
            if descriptor == out_read:
                part = os.read(out_read, 65536)
                if not part:
                    return b"".join(parts)
                parts.append(part)
            elif event & (select.POLLERR | select.POLLHUP) or not (left := left[_write_some(in_write, left) :]):
                poll.unregister(in_write)
                os.close(in_write)


def _write_some(descriptor: int, data: memoryview) -> int:
    try:
        return os.write(descriptor, data[:65536])
    except BlockingIOError:
        return 0
    except BrokenPipeError:
        return len(data)
