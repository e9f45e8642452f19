import os

import pytest

from linkspan.compat import ctk


@pytest.fixture(autouse=True)
def _own_settings(tmp_path, monkeypatch):
    """No test reads the settings of the machine it runs on."""
    for name in [name for name in os.environ if name.startswith(("LINKSPAN_", "NVIDIA_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NVIDIA_CTK_CONFIG_FILE_PATH", str(tmp_path / "config.toml"))


@pytest.fixture
def nvidia_ctk(capsys):
    """Runs ``nvidia-ctk``: exit code, standard output, standard error."""

    def run(*arguments):
        code = ctk.run([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run
