import pytest

from linkspan.compat import ctk


@pytest.fixture(autouse=True)
def _own_settings(own_settings):
    """For every test here."""


@pytest.fixture
def nvidia_ctk(capsys):
    """Runs ``nvidia-ctk``: exit code, standard output, standard error."""

    def run(*arguments):
        code = ctk.run([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run
