"""An engine's own opinion of its configuration, asked before anything is put in place."""

import os
import shutil
import tempfile
from collections.abc import Mapping

from linkspan.engines import containerd
from linkspan.engines.places import Place
from linkspan.errors import ConfigError, KernelError
from linkspan.kernel import process

TIME_S = 30


def check(place: Place, old: bytes | None, new: bytes, env: Mapping[str, str]) -> str:
    """A sentence on what the engine's checker says of the new content; ConfigError where it refuses only that."""
    program = shutil.which(place.of.PROGRAM, path=env.get("PATH", "")) if place.of.PROGRAM else None
    if program is None:
        looked = f"there is no {place.of.PROGRAM} on PATH" if place.of.PROGRAM else f"{place.of.TITLE} has no checker"
        return f"{looked}, so its own check was left out"
    complaint = _ask(place, program, new, env)
    if complaint is None:
        return f"{place.of.PROGRAM} accepts it"
    if "unknown flag" in complaint:
        return f"this {place.of.PROGRAM} has no checker, so its own check was left out"
    if _ask(place, program, old or place.of.SEED.encode(), env) is not None:
        return f"{place.of.PROGRAM} complained before the edit as it does after it: {complaint}"
    raise ConfigError(
        f"{place.of.PROGRAM} does not accept the result, and nothing was changed: {complaint}", subject=place.target
    )


def _ask(place: Place, program: str, content: bytes, env: Mapping[str, str]) -> str | None:
    """What the checker complains about; None where it is content."""
    try:
        with tempfile.TemporaryDirectory(prefix="linkspan-check-") as folder:  # nobody else may look into it
            path = f"{folder}/{os.path.basename(place.target)}"
            with open(path, "wb") as file:
                file.write(_readable_there(place, content))
            done = process.run(_command(program, place, path), env=env, timeout_s=TIME_S, check=False)
    except KernelError as error:
        return error.message
    except OSError as error:
        raise KernelError(f"cannot write a copy for {program} to check: {error.strerror}") from None
    return None if done.code == 0 else _words(done)


def _words(done: process.Result) -> str:
    """The last line of the complaint: the lines before it are usage and log."""
    lines = (done.stderr.strip() or done.stdout.strip() or f"exit code {done.code}").splitlines()
    flags = [line for line in lines if "unknown flag" in line]
    return (flags or lines)[-1].strip()[-process.MESSAGE_LIMIT :]


def _readable_there(place: Place, content: bytes) -> bytes:
    if place.of.PROGRAM != "containerd":
        return content
    return containerd.for_check(content.decode(), os.path.dirname(place.asked)).encode()


def _command(program: str, place: Place, path: str) -> list[str]:
    """The checker's command line; CRI-O's is not to read the drop-ins that are in force."""
    if place.engine == "docker":
        return [program, "--validate", "--config-file", path]
    if place.engine == "crio":
        return [program, "--config", path, "--config-dir", "", "config"]
    return [program, "--config", path, "config", "dump"]
