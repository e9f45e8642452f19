"""What the prestart hook leaves systemd for a container in a scope: by Python and by the launcher.

There is no systemd here, only its folder as it would be; ``tests/engines/test_reload.py`` has a real one.
"""

import contextlib
import glob
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import mounts
from tests.containers import Runtime, new_bundle, run
from tests.privileged.test_warm_start import prestart, without_python
from tests.rootfs import fresh_root
from tests.toolkit import Toolkit

pytestmark = pytest.mark.privileged

UNIT = f"docker-{'ab' * 32}.scope"
GONE = f"docker-{'cd' * 32}.scope"
DROP_IN = "50-linkspan.conf"


@pytest.fixture
def transient() -> Iterator[Path]:
    """systemd's folder of transient units, with ours in it, and what an earlier container left."""
    with mounts.tmpfs("/run/systemd", 1024):
        folder = Path("/run/systemd/transient")
        folder.mkdir()
        (folder / UNIT).write_text("[Scope]\nDevicePolicy=strict\n")
        leave(folder, GONE)
        yield folder


def leave(folder: Path, unit: str) -> None:
    (folder / f"{unit}.d").mkdir()
    (folder / f"{unit}.d" / DROP_IN).write_text("[Scope]\n")


@contextlib.contextmanager
def slice_() -> Iterator[str]:
    """A cgroup that is named as a slice is; the runtime makes it, and leaves it."""
    name = f"linkspan-test-{uuid.uuid4().hex[:12]}.slice"
    try:
        yield name
    finally:
        for folder in glob.glob(f"/sys/fs/cgroup/*/{name}"):
            os.rmdir(folder)


class Starts:
    """Containers in one scope after another, all with the same configuration."""

    def __init__(self, toolkit: Toolkit, runtime: Runtime) -> None:
        self._toolkit, self._runtime = toolkit, runtime
        self._wrapper = toolkit.over(runtime)

    def __call__(self, unit: str = UNIT) -> None:
        with slice_() as above, fresh_root() as root, new_bundle(root, "/bin/true") as bundle:
            bundle.config["linux"]["cgroupsPath"] = f"/{above}/{unit}"
            bundle.env("NVIDIA_VISIBLE_DEVICES=0,2")
            outcome = run(self._runtime, prestart(self._toolkit, bundle, self._wrapper))
        assert outcome.exit == 0, outcome


def only_drop_in(folder: Path) -> str:
    """The drop-in of our unit, beside which nothing is left."""
    assert sorted(path.name for path in folder.iterdir()) == [UNIT, f"{UNIT}.d"]
    (file,) = (folder / f"{UNIT}.d").iterdir()
    assert file.name == DROP_IN
    return file.read_text()


def test_python_and_the_launcher_leave_the_same_and_remove_what_a_unit_that_is_gone_left(
    toolkit_550: Toolkit, runtime: Runtime, transient: Path
) -> None:
    start = Starts(toolkit_550, runtime)
    start()
    by_python = only_drop_in(transient)
    assert by_python.splitlines()[1:3] == ["[Scope]", "DeviceAllow=/dev/char/195:0 rwm"]
    assert "DeviceAllow=/dev/char/195:2 rwm\n" in by_python
    assert "195:1 " not in by_python
    (transient / f"{UNIT}.d" / DROP_IN).write_text("of an earlier start")
    leave(transient, GONE)
    with without_python(toolkit_550):
        start()
    assert only_drop_in(transient) == by_python


def test_a_cgroup_that_is_no_confined_scope_of_this_systemd_is_left_nothing(
    toolkit_550: Toolkit, runc: Runtime, transient: Path
) -> None:
    (transient / "runc-mine.scope").write_text("[Scope]\nDevicePolicy=strict\n")
    (transient / UNIT).write_text("[Scope]\nDevicePolicy=strict\nDevicePolicy=auto\n")
    units = (UNIT, "runc-mine.scope", UNIT.replace("ab", "ba"), "plain")
    before = sorted(transient.iterdir())
    start = Starts(toolkit_550, runc)
    for unit in units:
        start(unit)
    with without_python(toolkit_550):
        for unit in units:
            start(unit)
    assert sorted(transient.iterdir()) == before
