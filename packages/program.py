"""The one place that runs a program here: its words are shown if it fails, and only then."""

import os
import subprocess
from collections.abc import Sequence


def run(command: Sequence[str], *, folder: str | None = None, epoch: int = 0) -> None:
    """Run a program; SystemExit with what it said where it fails. ``epoch`` is for what it writes times into."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "SOURCE_DATE_EPOCH": str(epoch)}
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{done.stdout}packages: {' '.join(command[:4])} … failed, exit code {done.returncode}")
