"""Starts that need no Python: the second container of a kind, with an interpreter that is not there any more."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from linkspan.formats import record
from linkspan.sim.spec import SimSpec
from tests import cdi_engine, driver_files, mounts, rootfs
from tests.containers import Bundle, Outcome, Runtime, Wrapper, new_bundle, run
from tests.folders import open_folder
from tests.privileged import inside
from tests.rootfs import Kind, fresh_root
from tests.toolkit import Toolkit

pytestmark = pytest.mark.privileged

ASK = "NVIDIA_VISIBLE_DEVICES=0,2"
CUDA_IMAGE = "NVIDIA_DRIVER_CAPABILITIES=compute,utility"


@pytest.fixture
def warm() -> Iterator[Toolkit]:
    """A toolkit whose state is the test's own."""
    with driver_files.gpu_host("550", SimSpec(gpus=8, model="H100")) as root, open_folder("toolkit") as folder:
        yield Toolkit(folder, root)


@contextlib.contextmanager
def without_python(toolkit: Toolkit) -> Iterator[None]:
    """The launchers find no interpreter, so what they leave to it fails."""
    names = [os.path.basename(path) for path in toolkit.place.launchers]
    for name in names:
        file = Path(toolkit.place.library, f"{name}.start")
        _, rest = file.read_bytes().split(b"\0", 1)
        shutil.copy(file, f"{file}.kept")
        file.write_bytes(b"/nonexistent/python\0" + rest)
    yield
    for name in names:
        file = Path(toolkit.place.library, f"{name}.start")
        os.replace(f"{file}.kept", file)


def prestart(toolkit: Toolkit, bundle: Bundle, wrapper: Wrapper) -> Bundle:
    """The bundle with the prestart hook, as Docker's ``--gpus`` makes it."""
    env = [f"{key}={value}" for key, value in {"PATH": os.defpath, **wrapper.env}.items()]
    entry = {"path": toolkit.place.prestart, "args": ["nvidia-container-runtime-hook", "prestart"], "env": env}
    bundle.config["hooks"] = {"prestart": [entry]}
    return bundle


class Way:
    """One of the three ways to a container's GPUs: how a life on it goes."""

    def __init__(self, name: str, toolkit: Toolkit, runtime: Runtime) -> None:
        self._name, self._toolkit, self._runtime = name, toolkit, runtime
        self._spec = toolkit.generate() if name == "hook" else {}
        self._wrapper = toolkit.over(runtime)

    def life(self, command: tuple[str, ...], kind: Kind = "debian") -> Outcome:
        with fresh_root(kind) as root, new_bundle(root, *command) as bundle:
            if self._name == "hook":
                cdi_engine.inject(bundle.config, self._spec, ["0", "2"])
                return run(self._runtime, bundle)
            bundle.env(ASK, CUDA_IMAGE)
            if self._name == "prestart":
                return run(self._runtime, prestart(self._toolkit, bundle, self._wrapper))
            return run(self._runtime, bundle, self._wrapper)


MOUNTS = "cut -d' ' -f 4-6,7- /proc/self/mountinfo | sed 's/ - .*//'"
"""What is mounted where, with which options, and how it spreads; less its number and its file system."""
FILES = "ls -ln --time-style=+ /dev /usr/lib/x86_64-linux-gnu"

WAYS = ("wrapper", "hook", "prestart")


@pytest.mark.parametrize("kind", rootfs.KINDS)
@pytest.mark.parametrize("way", WAYS)
def test_the_second_container_of_a_kind_starts_without_python(
    warm: Toolkit, runtime: Runtime, kind: Kind, way: str
) -> None:
    path = Way(way, warm, runtime)
    command = inside.open_libraries(*inside.LIBRARIES, musl=kind == "musl")
    with without_python(warm):
        assert path.life(command, kind).created, "nobody knows how yet"
    inside.assert_found(path.life(command, kind), *inside.LIBRARIES)
    with without_python(warm):
        inside.assert_found(path.life(command, kind), *inside.LIBRARIES)


@pytest.mark.parametrize("way", WAYS)
def test_it_sees_exactly_the_gpus_asked_for(warm: Toolkit, runtime: Runtime, way: str) -> None:
    path = Way(way, warm, runtime)
    path.life(("/bin/true",))
    with without_python(warm):
        assert inside.uuids(path.life(inside.LIST_GPUS).output) == inside.gpu_uuids([0, 2])
        assert inside.answers(path.life(inside.open_nodes()).output) == inside.only_minors([0, 2])


@pytest.mark.parametrize("way", WAYS)
def test_its_mounts_and_nodes_are_those_that_python_makes(warm: Toolkit, runc: Runtime, way: str) -> None:
    path = Way(way, warm, runc)
    command = ("/bin/sh", "-c", f"({MOUNTS}; {FILES}) | grep -i nvidia")
    outputs = [path.life(command).output for _ in range(2)]
    with without_python(warm):
        outputs.append(path.life(command).output)
    assert len(outputs[0].splitlines()) > 20
    assert outputs == outputs[:1] * 3


def test_the_folders_of_other_gpus_are_hidden_without_python_too(warm: Toolkit, runtime: Runtime) -> None:
    wrapper = warm.over(runtime)

    def life() -> Outcome:
        with fresh_root() as root, new_bundle(root, *inside.LIST_GPU_FOLDERS) as bundle:
            return run(runtime, prestart(warm, bundle.env(ASK).host_proc(), wrapper))

    with mounts.driver_proc_of(warm.driver_root):
        first = life()
        with without_python(warm):
            second = life()
    assert first.output.split("\n") == [inside.FOLDERS[0], inside.FOLDERS[2], "ModifyDeviceFiles: 0", ""]
    assert second.output == first.output, second


def test_a_container_that_asks_for_nothing_costs_no_python_either(warm: Toolkit, runc: Runtime) -> None:
    path = Way("prestart", warm, runc)
    path.life(("/bin/true",))
    wrapper = warm.over(runc)
    with without_python(warm), fresh_root() as root, new_bundle(root, "/bin/true") as bundle:
        assert run(runc, prestart(warm, bundle, wrapper)).created != 0, "this configuration file is a new one"
    with fresh_root() as root, new_bundle(root, "/bin/true") as bundle:
        assert run(runc, prestart(warm, bundle.env(ASK), wrapper)).exit == 0
    with without_python(warm), fresh_root() as root, new_bundle(root, "/bin/true") as bundle:
        assert run(runc, prestart(warm, bundle, wrapper)).exit == 0


def test_another_request_or_a_host_that_changed_is_not_taken_for_it(warm: Toolkit, runc: Runtime) -> None:
    wrapper = warm.over(runc)

    def life(*env: str) -> Outcome:
        with fresh_root() as root, new_bundle(root, "/bin/true") as bundle:
            return run(runc, bundle.env(*env), wrapper)

    assert life(ASK).exit == 0
    library = next(Path(warm.driver_root).rglob("libcuda.so.550.163.01"))
    with without_python(warm):
        assert life(ASK).exit == 0
        assert life("NVIDIA_VISIBLE_DEVICES=1").created != 0
        os.utime(library, (1, 1))
        assert life(ASK).created != 0, "the driver's library is another one"


def test_a_container_started_again_in_its_own_root_is_the_third_kind(warm: Toolkit, runc: Runtime) -> None:
    wrapper = warm.over(runc)

    def lives(count: int) -> list[list[str]]:
        with fresh_root() as root:
            found = []
            for _ in range(count):
                with new_bundle(root, *inside.LIST_GPUS) as bundle:
                    found.append(inside.uuids(run(runc, bundle.env(ASK), wrapper).output))
            return found

    assert lives(2) == [inside.gpu_uuids([0, 2])] * 2
    with without_python(warm):
        assert lives(1) == [inside.gpu_uuids([0, 2])]


def test_what_is_kept_belongs_to_root_and_stays_within_its_folder(warm: Toolkit, runc: Runtime) -> None:
    with fresh_root() as root, new_bundle(root, "/bin/true") as bundle:
        run(runc, bundle.env(ASK), warm.over(runc))
    for kind in (record.READY, record.IMAGES):
        (name,) = os.listdir(f"{warm.place.state}/{kind}")
        status = os.stat(f"{warm.place.state}/{kind}/{name}")
        assert (status.st_uid, status.st_mode & 0o777) == (0, 0o600)


def test_a_mount_over_what_would_be_written_is_left_to_a_hook(warm: Toolkit, runc: Runtime, tmp_path: Path) -> None:
    wrapper = warm.over(runc)
    command = inside.open_libraries("libcuda.so.1")

    def life(shape: Any) -> Outcome:
        with fresh_root() as root, new_bundle(root, *command) as bundle:
            shape(bundle, root)
            return run(runc, bundle.env(ASK), wrapper)

    def volume(bundle: Bundle, root: str) -> None:
        shutil.rmtree(tmp_path / "etc", ignore_errors=True)
        shutil.copytree(f"{root}/etc", tmp_path / "etc", symlinks=True)
        bundle.mount(str(tmp_path / "etc"), "/etc", "rw")

    inside.assert_found(life(lambda *_: None), "libcuda.so.1")
    inside.assert_found(life(volume), "libcuda.so.1")
    with without_python(warm):
        assert life(volume).created != 0
