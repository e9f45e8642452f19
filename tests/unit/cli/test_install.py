import os

import pytest

from linkspan.cli import install, main, output
from linkspan.store import launchers
from linkspan.store.registry import LostHook


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_the_files_of_a_package_are_left_to_the_package(command, tmp_path, capsys):
    os.makedirs(tmp_path / "lib/linkspan/packages")
    assert main.run([command, "--prefix", str(tmp_path)]) == output.FAILED
    assert "was not put there by 'linkspan install'" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["lib"]


@pytest.mark.parametrize("folder", ["", "bin", "lib/linkspan"])
def test_where_a_user_may_not_write_nothing_is_begun(folder, tmp_path, capsys, monkeypatch):
    os.makedirs(tmp_path / folder, exist_ok=True)
    before = sorted(os.walk(tmp_path))
    closed = str(tmp_path / folder).rstrip("/")
    monkeypatch.setattr(install.os, "access", lambda path, _: path != closed)  # root may write anywhere
    assert main.run(["install", "--prefix", str(tmp_path)]) == output.CANNOT_LOOK
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        f"linkspan: {closed} cannot be written by you\n"
        "hint: run the same with sudo, or name folders of your own by --prefix and --state-dir\n"
    )
    assert sorted(os.walk(tmp_path)) == before


@pytest.mark.parametrize(
    ("at", "prefix", "said"),
    [
        (("/usr/bin/nvidia-cdi-hook", "nvidia.com/gpu"), "/usr/local", "linkspan cdi refresh --output /etc/cdi/n.yaml"),
        (("/x", "nvidia.com/gpu"), "/opt/l", "refresh --output /etc/cdi/n.yaml --hook-path /opt/l/bin/linkspan-hook"),
        (("/usr/bin/nvidia-cdi-hook", "nvidia.com/gds"), "/usr/local", "put it there: linkspan install --prefix /usr"),
        (("/toolkit/nvidia-cdi-hook", "nvidia.com/gds"), "/usr/local", ""),
    ],
)
def test_a_spec_whose_hook_is_not_there_comes_with_what_repairs_it(capsys, monkeypatch, at, prefix, said):
    monkeypatch.setattr(install.registry, "lost_hooks", lambda _: {"/etc/cdi/n.yaml": LostHook(*at)})
    monkeypatch.setattr(install.launchers, "install", lambda *_, **__: ("/opt/l/bin/linkspan-hook",))
    monkeypatch.setattr(install, "_place", lambda *_: launchers.Place(prefix=prefix))
    monkeypatch.setattr(install, "_refuse_packaged", lambda _: None)
    assert main.run(["install", "--no-compat"]) == output.OK
    story = capsys.readouterr().err
    assert f"the hooks of /etc/cdi/n.yaml start {at[0]}, which does not exist" in story
    assert said in story
    assert ("hint: " in story) == bool(said)
