"""The sample projects, each with the Dockerfile that ``linkspan image init`` writes for it."""

import os
import shutil
import subprocess
import sys

FOLDER = os.path.join(os.path.dirname(os.path.dirname(__file__)), "unit", "image", "projects")
NAMES = sorted(os.listdir(FOLDER))


def written(project: str, folder: str) -> str:
    """A copy of a project with the Dockerfile that is written for it; its path, below ``folder``."""
    copy = f"{folder}/{project}"
    shutil.copytree(f"{FOLDER}/{project}", copy)
    argv = [sys.executable, "-m", "linkspan", "image", "init", copy]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return copy
