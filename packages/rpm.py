"""The .rpm, by rpmbuild."""

import os
import shutil

from linkspan._version import __version__
from packages import program, tree, wheels

FOLDER = f"{tree.REPOSITORY}/packages/redhat"
SCRIPTS = ("pre", "post", "triggerin", "preun", "postun")
RIVALS = (
    "libnvidia-container-tools",
    "nvidia-container-runtime",
    "nvidia-container-runtime-hook",
    "nvidia-container-toolkit",
    "nvidia-container-toolkit-base",
)
"""Packages of NVIDIA's whose place this one takes, as in the .deb."""

# What rpmbuild would else take from this machine and from the clock.
SETTINGS = {
    "_buildhost": "localhost",
    "_binary_payload": "w9.zstdio",
    "use_source_date_epoch_as_buildtime": "1",
    "clamp_mtime_to_source_date_epoch": "1",
    "_build_name_fmt": "%{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm",
}


def build(root: str, scratch: str, into: str, epoch: int) -> str:
    """Build the package of the files below ``root``; its path."""
    machine = os.uname().machine
    folder, name = f"{scratch}/rpm", f"linkspan-{__version__}-1.{machine}.rpm"
    os.mkdir(folder)
    with open(f"{folder}/linkspan.spec", "w", encoding="utf-8") as file:
        file.write(_spec(root))
    settings = {
        **SETTINGS,
        "_topdir": folder,
        "_tmppath": f"{folder}/scratch",
        "_rpmdir": folder,
        "_dbpath": f"{folder}/db",
    }
    defines = [word for item in settings.items() for word in ("--define", " ".join(item))]
    program.run(["rpmbuild", "-bb", "--target", f"{machine}-linux", *defines, f"{folder}/linkspan.spec"], epoch=epoch)
    return shutil.copy(f"{folder}/{name}", into)


def _spec(root: str) -> str:
    scripts = {}
    for name in SCRIPTS:
        with open(f"{FOLDER}/{name}", encoding="utf-8") as file:
            scripts[name] = file.read().removeprefix("#!/bin/sh\n").replace("%", "%%").rstrip()
    with open(f"{FOLDER}/linkspan.spec", encoding="utf-8") as file:
        return file.read().format(
            tree=root,
            version=__version__,
            pythons=" or ".join(f"/usr/bin/python{version}" for version in wheels.PYTHONS),
            conflicts="\n".join(f"{tag}: {rival}" for rival in RIVALS for tag in ("Conflicts", "Provides")),
            **scripts,
        )
