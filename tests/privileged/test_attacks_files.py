"""Images whose files lead whoever writes into them from outside to files of the host, or keep him reading for ever.

Whole starts, through the wrapper and through the hook; what a single path may look like is in test_attacks_paths.py.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests import cdi_engine, mounts
from tests.containers import Outcome, Runtime, new_bundle, run
from tests.privileged import inside
from tests.rootfs import fresh_root
from tests.toolkit import Toolkit

pytestmark = pytest.mark.privileged

ASK = "NVIDIA_VISIBLE_DEVICES=0,2"
RENAME_EXCHANGE = 2
AT_FDCWD = -100


class Victim:
    """A folder of the host that no container has any business with."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        with open(f"{folder}/file", "w", encoding="ascii") as file:
            file.write("the host's")
        self._before = self._look()

    @property
    def file(self) -> str:
        return f"{self.folder}/file"

    @property
    def untouched(self) -> bool:
        return self._look() == self._before

    def _look(self) -> list[Any]:
        with open(self.file, "rb") as file:
            content = file.read()
        return [content, sorted(os.listdir(self.folder)), os.lstat(self.file).st_mtime_ns, os.lstat(self.file).st_ino]


@pytest.fixture
def victim(tmp_path: Any) -> Victim:
    return Victim(str(tmp_path))


def absolute(victim: str, _: str) -> str:
    return victim


def upwards(victim: str, _: str) -> str:
    return "../" * 40 + victim.lstrip("/")


def through_another(victim: str, root: str) -> str:
    link = f"{root}/hop"
    if not os.path.lexists(link):
        os.symlink(upwards(os.path.dirname(victim), root), link)
    return f"/hop/{os.path.basename(victim)}"


def through_proc(victim: str, _: str) -> str:
    return f"/proc/self/root{victim}"


LEADS: dict[str, Callable[[str, str], str]] = {
    function.__name__: function for function in (absolute, upwards, through_another, through_proc)
}


@pytest.fixture(scope="module")
def written(toolkit_550: Toolkit) -> list[str]:
    """Every path that a start writes in a container's root: seen in what one leaves in an empty overlay."""
    with fresh_root() as root:
        upper = f"{os.path.dirname(root)}/upper"
        assert create(toolkit_550, root).created == 0
        found = [os.path.join(top, name)[len(upper) :] for top, _, names in os.walk(upper) for name in names]
    assert "/etc/ld.so.cache" in found
    return sorted(found)


@pytest.fixture(scope="module")
def spec(toolkit_550: Toolkit) -> dict[str, Any]:
    return toolkit_550.generate()


def create(toolkit: Toolkit, root: str) -> Outcome:
    """``create`` through the wrapper over a runtime that does nothing: the root is what the wrapper leaves."""
    with new_bundle(root) as bundle:
        return toolkit.patch(bundle.env(ASK).write())


def start_natively(runtime: Runtime, spec: dict[str, Any], root: str) -> Outcome:
    with new_bundle(root, "/bin/true") as bundle:
        cdi_engine.inject(bundle.config, spec, ["0"])
        return run(runtime, bundle)


def plant(root: str, path: str, target: str) -> None:
    """Put a symlink in a path's place."""
    place = root + path
    os.makedirs(os.path.dirname(place), exist_ok=True)
    if os.path.isdir(place) and not os.path.islink(place):
        shutil.rmtree(place)
    elif os.path.lexists(place):
        os.unlink(place)
    os.symlink(target, place)


def plots(written: list[str], victim: Victim) -> Iterator[tuple[str, str]]:
    """Each path that we write, led to a file of the host, to one that is not there yet, and its folder to a folder."""
    for path in written:
        yield path, victim.file
        yield path, f"{victim.folder}/not-there"
    for folder in sorted({os.path.dirname(path) for path in written}):
        yield folder, victim.folder


def twice(plots: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Each of them two times: the second time the launcher knows how Python prepared such a root."""
    return (plot for plot in plots for _ in range(2))


@pytest.mark.parametrize("lead", ["absolute", "upwards"])
def test_a_hook_that_writes_by_name_would_be_led_out(runc: Runtime, victim: Victim, lead: str) -> None:
    writer = {"path": "/bin/sh", "args": ["sh", "-c", "echo led out >etc/ld.so.cache"]}
    with fresh_root() as root, new_bundle(root, "/bin/true") as bundle:
        plant(root, "/etc/ld.so.cache", LEADS[lead](victim.file, root))
        bundle.config["hooks"] = {"createContainer": [writer]}
        run(runc, bundle)
    assert not victim.untouched


@pytest.mark.parametrize("lead", LEADS)
def test_no_symlink_of_an_image_leads_the_wrapper_out(
    toolkit_550: Toolkit, written: list[str], victim: Victim, lead: str
) -> None:
    for path, target in twice(plots(written, victim)):
        with fresh_root() as root:
            plant(root, path, LEADS[lead](target, root))
            outcome = create(toolkit_550, root)
        assert victim.untouched, (path, target)
        assert outcome.created == 0 or outcome.errors.count("\n") == 1, outcome


@pytest.mark.parametrize("lead", ["absolute", "upwards"])
def test_no_symlink_of_an_image_leads_the_hook_out(
    runtime: Runtime, spec: dict[str, Any], written: list[str], victim: Victim, lead: str
) -> None:
    # A folder of libraries in a link's place stops the container's own program, so only files of /etc are led astray.
    for path, target in twice(plots([path for path in written if path.startswith("/etc/")], victim)):
        with fresh_root() as root:
            plant(root, path, LEADS[lead](target, root))
            outcome = start_natively(runtime, spec, root)
        assert victim.untouched, (path, target, outcome)


_SWAP = f"""
import ctypes, sys
exchange = ctypes.CDLL(None).renameat2
folder, link = (path.encode() for path in sys.argv[1:])
while True:
    if exchange({AT_FDCWD}, folder, {AT_FDCWD}, link, {RENAME_EXCHANGE}):
        sys.exit("these two cannot be exchanged")
"""


@contextlib.contextmanager
def swapping(path: str, target: str) -> Iterator[None]:
    """A process that exchanges a folder with a symlink to ``target``, as fast as it can."""
    shutil.copytree(path, f"{path}.own", symlinks=True)  # an overlay renames no folder of its lower layer
    shutil.rmtree(path)
    os.rename(f"{path}.own", path)
    os.symlink(target, f"{path}.link")
    process = subprocess.Popen([sys.executable, "-c", _SWAP, path, f"{path}.link"])
    try:
        yield
        assert process.poll() is None, "nothing was swapped, so this test would show nothing"
    finally:
        process.kill()
        process.wait()


def test_who_checks_a_folder_and_then_writes_by_name_loses_the_race(victim: Victim) -> None:
    deadline = time.monotonic() + 20
    with fresh_root() as root, swapping(f"{root}/etc", victim.folder):
        while victim.untouched and time.monotonic() < deadline:
            if not os.path.islink(f"{root}/etc"):
                with contextlib.suppress(OSError), open(f"{root}/etc/file", "w", encoding="ascii") as file:
                    file.write("led out")
    assert not victim.untouched


@pytest.mark.parametrize("folder", ["/etc", "/usr/lib/x86_64-linux-gnu", "/etc/ld.so.conf.d"])
def test_a_folder_swapped_during_the_start_leads_nobody_out(toolkit_550: Toolkit, victim: Victim, folder: str) -> None:
    with fresh_root() as root, swapping(root + folder, victim.folder):
        for _ in range(25):
            outcome = create(toolkit_550, root)
            assert outcome.created == 0 or outcome.errors.count("\n") == 1, outcome
    assert victim.untouched


def endless_includes(path: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write("include /etc/ld.so.conf\n" * 100)


def four_gigabytes(path: str) -> None:
    with open(path, "wb") as file:
        file.truncate(4 << 30)


def named_pipe(path: str) -> None:
    os.unlink(path)
    os.mkfifo(path)


LDCONFIG = ("/sbin/ldconfig", "-r")
READ_WHOLE = (sys.executable, "-c", "import sys; open(sys.argv[1] + '/etc/ld.so.conf', 'rb').read()")
CONFIGURATIONS: dict[Callable[[str], None], tuple[str, ...]] = {
    endless_includes: LDCONFIG,
    four_gigabytes: READ_WHOLE,
    named_pipe: LDCONFIG,
}


@pytest.mark.parametrize("make", CONFIGURATIONS, ids=lambda make: make.__name__)
def test_a_loader_configuration_without_end_fells_other_readers_but_not_us(
    toolkit_550: Toolkit, make: Callable[[str], None]
) -> None:
    with fresh_root() as root:
        make(f"{root}/etc/ld.so.conf")
        assert not ends_well(*CONFIGURATIONS[make], root), "the unprotected way was not open"
        began = time.monotonic()
        outcome = create(toolkit_550, root)
        took = time.monotonic() - began
    assert outcome.created == 0 or outcome.errors.count("\n") == 1, outcome
    assert took < 5


def ends_well(*argv: str) -> bool:
    """Whether a program succeeds within two seconds and a gigabyte of memory."""
    limited = ("/bin/sh", "-c", 'ulimit -v 1048576 && exec "$@"', "sh", *argv)
    try:
        return subprocess.run(limited, capture_output=True, timeout=2, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def test_a_device_in_place_of_the_loader_cache_is_not_read(toolkit_550: Toolkit) -> None:
    with fresh_root() as root:
        os.unlink(f"{root}/etc/ld.so.cache")
        os.mknod(f"{root}/etc/ld.so.cache", 0o020666, os.makedev(1, 5))  # /dev/zero
        began = time.monotonic()
        outcome = create(toolkit_550, root)
        assert time.monotonic() - began < 5
    assert outcome.created == 0 or outcome.errors.count("\n") == 1, outcome


def test_what_a_volume_covers_is_written_into_the_volume(toolkit_550: Toolkit, runc: Runtime) -> None:
    command = inside.open_libraries("libcuda.so.1")
    with fresh_root() as root, mounts.overlay(f"{root}/etc") as volume, new_bundle(root, *command) as bundle:
        bundle.env(ASK).mount(volume, "/etc", "rw")
        outcome = run(runc, bundle, toolkit_550.over(runc))
    inside.assert_found(outcome, "libcuda.so.1")
