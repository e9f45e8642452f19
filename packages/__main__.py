"""``python -m packages FOLDER`` (or ``make package``): the three packages, from this tree, into one folder."""

import os
import shutil
import subprocess
import sys
import tempfile

from packages import archive, deb, rpm, tree

BUILDERS = {"dpkg-deb": deb.build, "rpmbuild": rpm.build, "tar": archive.build}
"""The program that each package is built with, and the function that does it."""


def main(into: str) -> None:
    """Build what can be built on this machine; fails at the end if that was not everything."""
    os.makedirs(into, exist_ok=True)
    missing = [program for program in BUILDERS if not shutil.which(program)]
    with tempfile.TemporaryDirectory(prefix="linkspan-packages-") as scratch:
        epoch = source_date()
        tree.gather(f"{scratch}/root", scratch, f"{tree.REPOSITORY}/.make/wheels", epoch)
        for program, build in BUILDERS.items():
            if program not in missing:
                path = build(f"{scratch}/root", scratch, os.path.abspath(into), epoch)
                sys.stdout.write(f"{os.path.relpath(path)}\n")
    if missing:
        raise SystemExit(f"packages: {', '.join(missing)} is not installed, so not every package was built")


def source_date() -> int:
    """The time that files in packages have: SOURCE_DATE_EPOCH, else that of the last commit, else of pyproject.toml."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    log = ["git", "-C", tree.REPOSITORY, "log", "-1", "--format=%ct"]
    done = subprocess.run(log, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return int(done.stdout)
    return int(os.path.getmtime(f"{tree.REPOSITORY}/pyproject.toml"))


if __name__ == "__main__":
    main(*sys.argv[1:])
