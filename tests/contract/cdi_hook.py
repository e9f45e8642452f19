"""The hook of CDI specs, each command in a root of a few files; among them roots that lead out (contract 6, 8)."""

import os
import shutil
from collections.abc import Callable, Mapping

from tests.containers import RUNC_V1, new_bundle, run
from tests.contract.case import REFUSED, Answer, Case
from tests.contract.programs import Programs
from tests.folders import open_folder
from tests.rootfs import fresh_root

Tree = Mapping[str, str]
"""Path below the root to content; a text that begins with ``->`` is a link, OUTSIDE in it a folder beside the root."""

Look = Callable[[str, str], str]
"""What is asked afterwards, of the root and of the folder outside."""


def _asked(name: str, argv: tuple[str, ...], expected: str, look: Look, tree: Tree | None = None) -> Case:
    """A call of the hook in a root of these files, and what is seen afterwards."""

    def act(programs: Programs) -> Answer:
        with open_folder("contract") as folder:
            for part in ("rootfs", "outside"):
                os.mkdir(f"{folder}/{part}")
            _make(f"{folder}/rootfs", f"{folder}/outside", tree or {})
            done = programs.cdi_hook(folder, *argv)
            found = look(f"{folder}/rootfs", f"{folder}/outside")
            return Answer(
                REFUSED if done.returncode and not found.startswith("outside: ") else found, done.stderr.strip()
            )

    return Case("cdi hook", name, expected, act)


def _make(root: str, outside: str, tree: Tree) -> None:
    for path, content in tree.items():
        place = f"{root}{path}"
        os.makedirs(os.path.dirname(place), exist_ok=True)
        if content.startswith("->"):
            os.symlink(content.removeprefix("->").strip().replace("OUTSIDE", outside), place)
        else:
            with open(place, "w", encoding="utf-8") as file:
                file.write(content)


def _link(path: str) -> Look:
    return lambda root, outside: os.readlink(root + path) if os.path.islink(root + path) else "no link"


def _outside(root: str, outside: str) -> str:
    return f"outside: {' '.join(sorted(os.listdir(outside))) or 'nothing'}"


def _mode(path: str) -> Look:
    return lambda root, outside: f"{os.stat(root + path).st_mode & 0o777:o}"


def _fine(root: str, outside: str) -> str:
    return "fine"


def _profile(root: str, outside: str) -> str:
    folder = f"{root}/etc/nvidia/nvidia-application-profiles-rc.d"
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return " ".join(names) or "no profile"


def _compat(root: str, outside: str) -> str:
    """The compatibility folder that the container's loader is told of."""
    folder = f"{root}/etc/ld.so.conf.d"
    names = (
        [name for name in sorted(os.listdir(folder)) if name.startswith("00-compat-")] if os.path.isdir(folder) else []
    )
    return " ".join(_text(f"{folder}/{name}") for name in names) or "none"


def _text(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read().strip()


_COMPAT = {"/usr/local/cuda/compat/libcuda.so.560.28": "", "/etc/ld.so.conf.d/x.conf": "/usr/local/lib\n"}


def _loads(programs: Programs) -> Answer:
    """A library in a folder of its own, found by the real loader of a real container."""
    with fresh_root() as root, new_bundle(root, "/bin/sh", "-c", "ldconfig -p | grep -c /opt/driver/") as bundle:
        os.makedirs(f"{root}/opt/driver")
        shutil.copy(f"{root}/usr/lib/x86_64-linux-gnu/libz.so.1", f"{root}/opt/driver/libcontract.so.1")
        args = ["nvidia-cdi-hook", "update-ldcache", "--folder", "/opt/driver"]
        entry = {"path": programs.path("cdi hook"), "args": args, "env": [f"PATH={os.defpath}"]}
        bundle.config["hooks"] = {"createContainer": [entry]}
        outcome = run(RUNC_V1, bundle)
    return Answer(REFUSED if outcome.created else outcome.output.strip(), outcome.errors)


CASES = (
    _asked(
        "a link",
        ("create-symlinks", "--link", "libcuda.so.1::/usr/lib/libcuda.so"),
        "libcuda.so.1",
        _link("/usr/lib/libcuda.so"),
        {"/usr/lib/libcuda.so.1": ""},
    ),
    _asked(
        "a link in a folder that is to be made",
        ("create-symlinks", "--link=a::/new/folder/b"),
        "a",
        _link("/new/folder/b"),
    ),
    _asked(
        "a link in the place of another", ("create-symlinks", "--link", "new::/l"), "new", _link("/l"), {"/l": "-> old"}
    ),
    _asked(
        "a link in the place of a file", ("create-symlinks", "--link", "new::/l"), "new", _link("/l"), {"/l": "text"}
    ),
    _asked("two links", ("create-symlinks", "--link=a::/x", "--link=b::/y"), "b", _link("/y")),
    _asked(
        "a link whose folder is a link within the root",
        ("create-symlinks", "--link", "a::/l/x"),
        "a",
        _link("/real/x"),
        {"/real/keep": "", "/l": "-> /real"},
    ),
    _asked("a link above the root", ("create-symlinks", "--link", "a::/../../outside/x"), "outside: nothing", _outside),
    _asked(
        "a link whose folder is a link out",
        ("create-symlinks", "--link", "a::/l/x"),
        "outside: nothing",
        _outside,
        {"/l": "-> OUTSIDE"},
    ),
    _asked(
        "a link whose folder leads out by steps",
        ("create-symlinks", "--link", "a::/l/x"),
        "outside: nothing",
        _outside,
        {"/l": "-> ../outside"},
    ),
    _asked("a link that is none", ("create-symlinks", "--link", "nothing"), REFUSED, _fine),
    _asked(
        "a library for the loader, below a link out",
        ("update-ldcache", "--folder", "/lib"),
        "outside: nothing",
        _outside,
        {"/etc": "-> OUTSIDE"},
    ),
    Case("cdi hook", "a library for the loader", "1", _loads),
    _asked(
        "compatibility libraries that are newer",
        ("enable-cuda-compat", "--host-driver-version", "550.54.15"),
        "/usr/local/cuda/compat",
        _compat,
        _COMPAT,
    ),
    _asked(
        "compatibility libraries that are older",
        ("enable-cuda-compat", "--host-driver-version=570.10"),
        "none",
        _compat,
        _COMPAT,
    ),
    _asked(
        "compatibility libraries that there are not",
        ("enable-cuda-compat", "--host-driver-version=550.1"),
        "none",
        _compat,
    ),
    _asked("parameters that are not there", ("disable-device-node-modification",), "fine", _fine),
    _asked("a profile without GPUs", ("update-application-profile",), "no profile", _profile, {"/dev/null": ""}),
    _asked("a mode", ("chmod", "--mode", "755", "--path", "/x"), "755", _mode("/x"), {"/x": ""}),
    _asked("a mode of what is not there", ("chmod", "--mode", "755", "--path", "/x"), "fine", _fine),
    _asked("a command that is not known yet", ("invented-later", "--flag"), "fine", _fine),
    _asked("no command", (), "fine", _fine),
    _asked("a flag that is not known", ("create-symlinks", "--strange", "x"), REFUSED, _fine),
)
