import importlib.util

import pytest

from linkspan.cli import explain_live
from linkspan.errors import ConfigError, RequestError
from linkspan.explain import live_app
from linkspan.explain.live import Host, Wanted
from tests import hosts
from tests.unit.explain.startup import LIBRARIES, Start


def test_without_textual_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match="needs the package textual") as raised:
        explain_live.live()
    assert raised.value.hint == "install it with: pip install 'linkspan[live]'"


def test_without_a_terminal_it_says_what_to_do_instead():
    with pytest.raises(RequestError, match="needs a terminal"):
        explain_live.live()


@pytest.mark.parametrize(("change_root", "code"), [(True, 0), (False, 1)])
def test_the_last_chain_is_left_on_the_screen_and_decides(tmp_path, monkeypatch, capsys, change_root, code):
    start = Start(tmp_path)
    start.appear()
    start.mount(*LIBRARIES)
    if change_root:
        start.change_root("nvidia0")

    def run(app):
        start.run("/bin/app", "NVIDIA_VISIBLE_DEVICES=0")
        app._follower.step()
        start.now += 2
        return app._follower.step()

    monkeypatch.setattr(explain_live, "_has_terminal", lambda: True)
    monkeypatch.setattr(live_app.LiveApp, "run", run)
    monkeypatch.setattr(explain_live.following, "Follower", lambda *_: start.follower(pid=7))
    assert explain_live.live("7") == code
    assert "libcuda.so.1" in capsys.readouterr().out


def test_the_host_is_told_by_its_proc(tmp_path):
    tree = {
        "/proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.163.01  Tue\n",
        "/proc/devices": "Character devices:\n  1 mem\n195 nvidia\n195 nvidiactl\n510 nvidia-uvm\n\nBlock devices:\n",
    }
    assert explain_live.host(hosts.make(tmp_path, tree)) == Host("550.163.01", frozenset({195, 510}))
    assert explain_live.host(f"{tmp_path}/none") == Host("", frozenset())


def test_a_name_is_a_process_or_waited_for(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert explain_live._wanted("") == Wanted()
    assert explain_live._wanted("7") == Wanted(pid=7)
    assert explain_live._wanted("no-such-container") == Wanted(within="no-such-container")
