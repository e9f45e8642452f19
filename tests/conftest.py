"""What holds for every test: none touches this machine unless it says so."""

import os
import stat
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from linkspan.kernel import process
from linkspan.sim import create as sim
from linkspan.sim.spec import SimSpec
from tests.debian import UnavailableError

MARKER = (
    "allow_subprocess: may run programs through linkspan.kernel.process, and then only harmless ones "
    "(privileged tests may, too)"
)


class ProgramNotAllowed(BaseException):
    """A test ran a program without saying so. Not an Exception, so that no handler under test can swallow it."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in its own hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Privileged tests share cgroups, mounts and a CPU: one worker runs them, one after the other.

    Those of the engines have machines of their own, so another worker may run them meanwhile.
    """
    for item in items:
        if item.get_closest_marker("privileged") and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group("privileged"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None, Any, Any]:
    return (yield from _skipping())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, Any, Any]:
    return (yield from _skipping())


def _skipping() -> Generator[None, Any, Any]:
    """What a machine cannot give becomes a skip with the reason, never a failure."""
    try:
        return (yield)
    except UnavailableError as reason:
        pytest.skip(str(reason))


@pytest.fixture(autouse=True)
def _no_programs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if any(request.node.get_closest_marker(name) for name in ("privileged", "allow_subprocess")):
        return

    def refuse(argv: list[str], *_: object, **__: object) -> None:
        raise ProgramNotAllowed(f"{request.node.name} ran {argv[0]}: mark it allow_subprocess if that is its business")

    monkeypatch.setattr(process, "_start", refuse)


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the configuration of the machine's own toolkit nor a developer's taste decides a test."""
    for name in ("NVIDIA_CTK_CONFIG_FILE_PATH", "XDG_CONFIG_HOME", "LINKSPAN_DEBUG", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the machine's decides, and the toolkit's configuration is the test's own."""
    for name in [name for name in os.environ if name.startswith(("LINKSPAN_", "NVIDIA_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NVIDIA_CTK_CONFIG_FILE_PATH", str(tmp_path / "config.toml"))


@pytest.fixture(scope="session")
def sim_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The root of a simulated host with four H100s, for tests that only read it; skips where nodes cannot be made."""
    folder = tmp_path_factory.mktemp("host")
    try:
        os.mknod(folder / "probe", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("this user may not make device nodes, which a simulated host has")
    sim.create(f"{folder}/root", SimSpec(gpus=4, model="H100", driver="550.163.01"))
    yield f"{folder}/root"
    sim.remove(f"{folder}/root")
