"""The one place that runs a program. Never used on the start path."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from linkspan.errors import KernelError
from linkspan.kernel.signals import held_back

MESSAGE_LIMIT = 400
"""How much of a failed program's last words a message repeats, in characters."""
DEATH_S = 2.0
"""How long a killed program has to disappear, in seconds."""


class Result(NamedTuple):
    """What a program left: its two outputs as text (undecodable bytes replaced) and its exit code."""

    stdout: str
    stderr: str
    code: int


def own_python() -> tuple[str, str]:
    """The interpreter that runs us, isolated from its user: without site packages, if it was itself started so."""
    return sys.executable, "-IS" if sys.flags.no_site else "-I"


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    timeout_s: float,
    input: str | None = None,  # noqa: A002  # the name that subprocess gives it
    check: bool = True,
) -> Result:
    """Run a program to its end, without a shell and with exactly this environment.

    It gets a process group of its own, which is killed as a whole when the time is over or when we are interrupted, so
    that nothing of it outlives the call. Raises KernelError where it cannot be started, does not end within
    ``timeout_s`` seconds, is ended by a signal, or, with ``check``, exits with another code than 0.
    """
    process = None
    try:
        with held_back():  # a child that was started while nobody knew of it yet would outlive us
            process = _start(argv, env, feed=input is not None)
        stdout, stderr = process.communicate(None if input is None else input.encode(), timeout=timeout_s)
    except subprocess.TimeoutExpired:
        raise KernelError(f"{argv[0]} did not end within {timeout_s:g} seconds", subject=argv[0]) from None
    finally:
        if process is not None:
            _kill_what_is_left(process)
    result = Result(stdout.decode(errors="replace"), stderr.decode(errors="replace"), process.returncode)
    if result.code < 0 or (check and result.code):
        raise KernelError(_complaint(argv[0], result), subject=argv[0])
    return result


def _start(argv: Sequence[str], env: Mapping[str, str], *, feed: bool) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            argv,
            env=env,
            stdin=subprocess.PIPE if feed else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,
        )
    except OSError as error:
        raise KernelError(f"cannot run {argv[0]}: {os.strerror(error.errno or 0)}", subject=argv[0]) from error


def _kill_what_is_left(process: subprocess.Popen[bytes]) -> None:
    """Kill the group of a program that was not waited for: until then its number cannot belong to another group."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):  # one that hangs in a driver cannot be killed either
            process.wait(DEATH_S)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def _complaint(program: str, result: Result) -> str:
    if result.code < 0:
        ending = f"was ended by signal {_signal_name(-result.code)}"
    else:
        ending = f"failed with code {result.code}"
    words = " ".join((result.stderr.strip() or result.stdout.strip())[-MESSAGE_LIMIT:].split())
    return f"{program} {ending}: {words}" if words else f"{program} {ending}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
