"""The CDI hook, a command a case, in the mounts of a container that is being created (contract 6 and 8).

A case is a root filesystem, arguments, and the places that are looked at afterwards. Beside the root lies a folder of
the host, which attacks aim at; that nothing came into it is part of every answer.
"""

import functools
import glob
import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping

from linkspan.formats import ldcache
from tests.containers import new_bundle, run
from tests.contract.case import Answer, Case
from tests.contract.cdi_hook_vectors import HOST_PARAMS, OUTSIDE, VECTORS, Vector
from tests.contract.programs import Programs
from tests.folders import open_folder
from tests.hosts import make
from tests.rootfs import fresh_root

# The container's mounts, as a low-level runtime has made them when it calls createContainer hooks; the host's driver
# has its /proc there, and so has the container. What the hook mounts is read from within, by $LOOK.
_CREATE = """\
set -e
mount --bind rootfs rootfs
if [ -e host-params ]; then
    mount -t tmpfs none /proc/driver
    mkdir /proc/driver/nvidia
    cp host-params /proc/driver/nvidia/params
    mkdir -p rootfs/proc/driver
    mount --bind /proc/driver rootfs/proc/driver
fi
set +e
"$@" <state.json
code=$?
cat rootfs/proc/driver/nvidia/params >seen-params 2>/dev/null
exit $code
"""


def _ask(vector: Vector, programs: Programs) -> Answer:
    with open_folder("cdi-hook") as folder:
        _write(folder, vector)
        argv = ["unshare", "-m", "--propagation=private", "sh", "-c", _CREATE, "sh", programs.path("cdi-hook")]
        done = subprocess.run(
            [*argv, *(_placed(argument, folder) for argument in vector.arguments)],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        )
        return Answer(_joined(done.returncode, _seen(folder, vector)), done.stderr.strip())


def _write(folder: str, vector: Vector) -> None:
    for name in ("rootfs", OUTSIDE):
        os.mkdir(f"{folder}/{name}")
    for path, content in vector.tree.items():
        if content == "folder":
            os.makedirs(f"{folder}/rootfs{path}")
        elif isinstance(content, int):
            _make_node(f"{folder}/rootfs{path}", content)
        else:
            make(f"{folder}/rootfs", {path: _placed(content, folder) if isinstance(content, str) else content})
    if vector.host_params:
        make(folder, {"/host-params": HOST_PARAMS.format(vector.host_params)})
    config = {"ociVersion": "1.0.2", "root": {"path": vector.root}}
    state = {"ociVersion": "1.0.2", "id": "contract", "status": "creating", "pid": os.getpid(), "bundle": folder}
    make(folder, {"/config.json": json.dumps(config), "/state.json": vector.state or json.dumps(state)})


def _make_node(path: str, minor: int) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    os.mknod(path, 0o020666, os.makedev(195, minor))


def _placed(text: str, folder: str) -> str:
    return text.replace("{outside}", f"{folder}/{OUTSIDE}")


def _seen(folder: str, vector: Vector) -> dict[str, str]:
    seen = {place: _look(folder, place) for place in vector.seen}
    for top, _, names in os.walk(f"{folder}/{OUTSIDE}"):
        seen.update({f"{os.path.relpath(top, folder)}/{name}": "on the host" for name in names})
    return seen


def _look(folder: str, place: str) -> str:
    """What is at a place of the root, or what a question before the place asks of it."""
    question, _, path = place.rpartition(":")
    if question:
        return _QUESTIONS[question](folder, path)
    found = sorted(glob.glob(f"{folder}/rootfs{place}"))  # a dangling link is found, too
    return " ".join(map(_shown, found)) or "nothing"


def _library(folder: str, name: str) -> str:
    """Where the loader finds a library."""
    try:
        with open(f"{folder}/rootfs/etc/ld.so.cache", "rb") as file:
            entries = ldcache.parse(file.read())
    except FileNotFoundError:
        return "not found"
    return next((path for found, path, *_ in entries if found == name), "not found")


def _configured(folder: str, searched: str) -> str:
    """Whether a file of the loader's configuration names a folder."""
    files = glob.glob(f"{folder}/rootfs/etc/ld.so.conf.d/*.conf")
    return "yes" if any(searched in _text(path).splitlines() for path in files) else "no"


def _mode(folder: str, path: str) -> str:
    return f"{os.stat(f'{folder}/rootfs{path}').st_mode & 0o7777:o}"


def _params(folder: str, _: str) -> str:
    """What the container is told of the driver's parameters."""
    return _text(f"{folder}/seen-params").strip()


_QUESTIONS = {"library": _library, "configured": _configured, "mode": _mode, "seen": _params}


def _shown(path: str) -> str:
    if os.path.islink(path):
        return f"-> {os.readlink(path)}"
    return "folder" if os.path.isdir(path) else repr(_text(path))


def _text(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def _joined(code: int, seen: Mapping[str, str]) -> str:
    return "; ".join([f"exit {code}", *(f"{place}: {what}" for place, what in seen.items())])


def _cases(vectors: Iterable[Vector]) -> Iterable[Case]:
    for vector in vectors:
        better = None if vector.better is None else _joined(*vector.better)
        yield Case(
            "cdi-hook",
            vector.name,
            _joined(vector.exit, vector.seen),
            functools.partial(_ask, vector),
            better,
            vector.why,
        )


def _loads(programs: Programs) -> Answer:
    """A library in a folder of its own, looked up by the real loader of a real container."""
    with fresh_root() as root, new_bundle(root, "/bin/sh", "-c", "ldconfig -p | grep -o '/opt/driver/.*'") as bundle:
        os.makedirs(f"{root}/opt/driver")
        shutil.copy(f"{root}/usr/lib/x86_64-linux-gnu/libz.so.1", f"{root}/opt/driver/libz.so.1.2")
        args = ["nvidia-cdi-hook", "update-ldcache", "--folder", "/opt/driver"]
        entry = {"path": programs.path("cdi-hook"), "args": args, "env": [f"PATH={os.defpath}"]}
        bundle.config["hooks"] = {"createContainer": [entry]}
        outcome = run(programs.low_level, bundle)
    return Answer(outcome.output.strip(), outcome.errors)


_FOUND = Case("cdi-hook", "update-ldcache: in a real container", "/opt/driver/libz.so.1", _loads)

CASES = (*_cases(VECTORS), _FOUND)
