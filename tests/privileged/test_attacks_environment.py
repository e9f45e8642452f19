"""Images that set variables of the loader and of Python to get their code run outside of the container.

runc gives a hook without an ``env`` entry the container's environment, and the container's root as its folder
(CVE-2025-23266). Each attack is shown to work on such a hook, then to fail on ours and on the wrapper.
"""

import dataclasses
import os
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests import cdi_engine
from tests.containers import Bundle, Runtime, Wrapper, new_bundle, run
from tests.debian import UnavailableError
from tests.privileged import inside
from tests.rootfs import fresh_root
from tests.toolkit import Toolkit

pytestmark = pytest.mark.privileged

PYTHON = os.path.realpath("/usr/bin/python3")
SOURCE = os.path.join(os.path.dirname(__file__), "attack.c")


@dataclasses.dataclass(frozen=True)
class Attack:
    """A variable, what has to be planted in the image for it, and a program of the host that is open to it."""

    variable: str
    plant: Callable[[str, str], None]
    victim: Callable[[str], list[str]]


def compile_library(target: str, mark: str, *options: str) -> None:
    if not shutil.which("gcc"):
        raise UnavailableError("gcc, which builds the attacker's library, is not installed")
    os.makedirs(os.path.dirname(target), exist_ok=True)
    command = ["gcc", "-shared", "-fPIC", f'-DMARK="{mark}"', "-o", target, SOURCE, *options]
    subprocess.run(command, check=True, timeout=60)


def plant_preload(root: str, mark: str) -> None:
    compile_library(f"{root}/attack/preload.so", mark)


def plant_library(root: str, mark: str) -> None:
    compile_library(f"{root}/attack/libvictim.so", mark)


def plant_site(root: str, mark: str) -> None:
    plant_module(f"{root}/attack/sitecustomize.py", mark)


def plant_home(root: str, mark: str) -> None:
    version = subprocess.run(
        [PYTHON, "-c", "import sys; print('python%d.%d' % sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    ).stdout.strip()
    plant_module(f"{root}/attack/lib/{version}/encodings/__init__.py", mark)


def plant_module(path: str, mark: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"import posix\nposix.close(posix.open({mark!r}, posix.O_CREAT | posix.O_WRONLY, 0o600))\n")


def any_program(_: str) -> list[str]:
    return ["/bin/true"]


def linked_program(folder: str) -> list[str]:
    """A program of the host that needs a library of the host."""
    source = f"{folder}/victim.c"
    with open(source, "w", encoding="ascii") as file:
        file.write("int needed_by_the_victim(void); int main(void) { return needed_by_the_victim(); }\n")
    compile_library(f"{folder}/libvictim.so", "/nowhere/mark")
    link = ["-o", f"{folder}/victim", source, f"-L{folder}", "-lvictim", f"-Wl,--enable-new-dtags,-rpath,{folder}"]
    subprocess.run(["gcc", *link], check=True, timeout=60)
    return [f"{folder}/victim"]


def python_program(_: str) -> list[str]:
    return [PYTHON, "-c", "pass"]


ATTACKS = {
    attack.variable: attack
    for attack in (
        Attack("LD_PRELOAD=./attack/preload.so", plant_preload, any_program),
        Attack("LD_LIBRARY_PATH=./attack", plant_library, linked_program),
        Attack("PYTHONPATH=./attack", plant_site, python_program),
        Attack("PYTHONHOME=./attack", plant_home, python_program),
    )
}


class Scene:
    """One attack on one host: the mark is a file of the host that only the attacker makes."""

    def __init__(self, attack: Attack, runc: Runtime, folder: str) -> None:
        self._attack = attack
        self._runc = runc
        self.folder = folder
        self.mark = f"{folder}/mark"

    def start(self, shape: Callable[[Bundle], Any], wrapper: Wrapper | None = None) -> list[str]:
        """Start the attacker's image; the GPUs that were listed in it."""
        with fresh_root() as root, new_bundle(root, "/usr/bin/env", "-i", "/usr/bin/nvidia-smi", "-L") as bundle:
            self._attack.plant(root, self.mark)
            shape(bundle.env(self._attack.variable))
            return inside.uuids(run(self._runc, bundle, wrapper).output)

    @property
    def succeeded(self) -> bool:
        return os.path.exists(self.mark)

    def victim(self) -> list[str]:
        return self._attack.victim(self.folder)


@pytest.fixture(params=ATTACKS)
def scene(request: pytest.FixtureRequest, runc: Runtime, tmp_path: Any) -> Scene:
    """Each attack, shown to work on a hook that has no environment of its own."""
    made = Scene(ATTACKS[request.param], runc, str(tmp_path))
    program = made.victim()
    hook = {"path": program[0], "args": program}
    made.start(lambda bundle: bundle.config.update(hooks={"createContainer": [hook]}))
    assert made.succeeded, "the unprotected way was not open, so this test would show nothing"
    os.unlink(made.mark)
    return made


def test_our_hook_is_out_of_reach(scene: Scene, toolkit_550: Toolkit) -> None:
    spec = toolkit_550.generate()
    listed = scene.start(lambda bundle: cdi_engine.inject(bundle.config, spec, ["0", "2"]))
    assert listed == inside.gpu_uuids([0, 2])
    assert not scene.succeeded


def test_the_wrapper_is_out_of_reach(scene: Scene, toolkit_550: Toolkit, runc: Runtime) -> None:
    toolkit_550.forget()  # the full program runs, too
    listed = scene.start(lambda bundle: bundle.env("NVIDIA_VISIBLE_DEVICES=0,2"), toolkit_550.over(runc))
    assert listed == inside.gpu_uuids([0, 2])
    assert not scene.succeeded
