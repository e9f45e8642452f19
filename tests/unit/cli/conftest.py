"""What tests of several commands share."""

import pytest

from linkspan.cli import engine, main, output
from tests.unit.cli.engine_machine import OLD, Machine


@pytest.fixture
def image(capsys):
    """Run ``linkspan image`` with these words; what was printed. It has to end with the exit code."""

    def call(*argv, code=output.OK):
        assert main.run(["image", *argv]) == code
        return capsys.readouterr()

    return call


@pytest.fixture
def machine(tmp_path, capsys, monkeypatch):
    made = Machine(tmp_path, capsys)
    monkeypatch.setattr(engine, "this_host", made.host)
    return made


@pytest.fixture
def docker(machine):
    machine.write("etc/docker/daemon.json", OLD)
    return machine
