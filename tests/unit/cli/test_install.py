import os

import pytest

from linkspan.cli import main, output


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_the_files_of_a_package_are_left_to_the_package(command, tmp_path, capsys):
    os.makedirs(tmp_path / "lib/linkspan/packages")
    assert main.run([command, "--prefix", str(tmp_path)]) == output.FAILED
    assert "was not put there by 'linkspan install'" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["lib"]
