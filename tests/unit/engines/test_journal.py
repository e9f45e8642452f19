"""What the journal makes of files that change under it."""

import os

import pytest

from linkspan.engines.journal import Journal
from linkspan.errors import ConfigError
from tests.unit.engines.harness import PROGRAM, Bench

OLD = '{\n  "debug": true\n}\n'


def test_what_was_never_configured_is_left_alone(tmp_path):
    bench = Bench(str(tmp_path), "docker", OLD)
    plan = bench.unconfigure()
    assert (plan.known, plan.changes_file) == (False, False)
    assert not os.path.exists(bench.host.state_folder)


def test_a_runtime_that_the_user_wrote_is_not_ours_to_take(tmp_path):
    own = f'{{"runtimes": {{"nvidia": {{"path": "{PROGRAM}"}}}}, "features": {{"cdi": true}}}}\n'
    bench = Bench(str(tmp_path), "docker", own)
    assert not bench.configure().changes_file
    assert not bench.unconfigure().known
    assert bench.read() == own


def test_configuring_in_another_way_takes_the_first_way_back(tmp_path):
    bench = Bench(str(tmp_path), "docker", OLD)
    bench.configure(default=True, name="one")
    bench.configure(name="two")
    assert bench.view().runtimes == {"two": PROGRAM}
    assert bench.view().default == ""
    bench.unconfigure()
    assert bench.read() == OLD


def test_a_program_that_moved_is_ours_still(tmp_path):
    bench = Bench(str(tmp_path), "docker", OLD)
    bench.configure(program="/opt/old/bin/linkspan-runtime")
    bench.configure()
    assert bench.view().runtimes == {"nvidia": PROGRAM}
    bench.unconfigure()
    assert bench.read() == OLD


def test_an_entry_that_the_user_made_his_own_stays(tmp_path):
    bench = Bench(str(tmp_path), "docker", OLD)
    bench.configure()
    bench.write(bench.read().replace(PROGRAM, "/opt/mine"))
    bench.unconfigure()
    assert bench.view().runtimes == {"nvidia": "/opt/mine"}


def test_an_entry_goes_with_what_the_user_put_into_it(tmp_path):
    bench = Bench(str(tmp_path), "docker", OLD)
    bench.configure()
    bench.write(bench.read().replace('-runtime"', '-runtime", "runtimeArgs": ["--debug"]'))
    bench.unconfigure()
    assert bench.read() == OLD


def test_a_default_that_the_user_changed_stays(tmp_path):
    bench = Bench(str(tmp_path), "docker", OLD)
    bench.configure(default=True)
    bench.write(bench.read().replace('"default-runtime": "nvidia"', '"default-runtime": "crun"'))
    bench.unconfigure()
    assert bench.view().default == "crun"
    assert bench.view().runtimes == {}


def test_a_default_that_the_user_set_to_ours_is_not_left_without_a_runtime(tmp_path):
    bench = Bench(str(tmp_path), "docker", OLD)
    bench.configure()
    edited = bench.read().replace('"debug": true', '"debug": true, "default-runtime": "nvidia"')
    bench.write(edited)
    with pytest.raises(ConfigError, match="makes 'nvidia' the default runtime by another hand"):
        bench.unconfigure()
    assert bench.read() == edited


def test_a_file_that_was_deleted_is_not_made_again(tmp_path):
    bench = Bench(str(tmp_path), "docker", OLD)
    bench.configure()
    os.unlink(bench.path)
    assert not bench.unconfigure().changes_file
    assert bench.read() is None
    assert bench.kept() == []


def test_a_file_that_was_deleted_is_configured_as_a_new_one(tmp_path):
    bench = Bench(str(tmp_path), "docker", OLD)
    bench.configure()
    os.unlink(bench.path)
    bench.configure()
    assert bench.view().runtimes == {"nvidia": PROGRAM}
    bench.unconfigure()
    assert bench.read() is None


def test_the_folders_made_for_a_file_go_with_it(tmp_path):
    bench = Bench(str(tmp_path), "crio")
    bench.configure()
    assert os.path.exists(bench.path)
    bench.unconfigure()
    assert not os.path.exists(f"{tmp_path}/etc")


def test_a_folder_with_somebody_elses_file_stays(tmp_path):
    bench = Bench(str(tmp_path), "crio")
    bench.configure()
    (tmp_path / "etc/crio/crio.conf.d/10-mine.conf").write_text("")
    bench.unconfigure()
    assert os.listdir(tmp_path / "etc/crio/crio.conf.d") == ["10-mine.conf"]


def test_without_a_backup_the_edit_is_still_taken_back(tmp_path):
    bench = Bench(str(tmp_path), "docker", OLD)
    bench.configure()
    for name in bench.kept():
        if name.endswith(".before"):
            os.unlink(f"{bench.host.state_folder}/{name}")
    bench.unconfigure()
    assert bench.read() == OLD


def test_a_backup_that_was_tampered_with_is_not_used(tmp_path):
    bench = Bench(str(tmp_path), "docker", OLD)
    bench.configure()
    for name in bench.kept():
        if name.endswith(".before"):
            with open(f"{bench.host.state_folder}/{name}", "w", encoding="ascii") as file:
                file.write('{"hosts": ["tcp://0.0.0.0:2375"]}')
    bench.unconfigure()
    assert bench.read() == OLD


def test_a_backup_is_for_its_owner_alone(tmp_path):
    bench = Bench(str(tmp_path), "docker", OLD)
    bench.configure()
    modes = {name.rpartition(".")[2]: os.stat(f"{bench.host.state_folder}/{name}").st_mode for name in bench.kept()}
    assert {ending: mode & 0o777 for ending, mode in modes.items()} == {"json": 0o644, "before": 0o600}


@pytest.mark.parametrize("content", ["{", "[]", '{"version": 1}'])
def test_a_journal_that_cannot_be_read_is_told(tmp_path, content):
    bench = Bench(str(tmp_path), "docker", OLD)
    bench.configure()
    journal = next(name for name in bench.kept() if name.endswith(".json"))
    with open(f"{bench.host.state_folder}/{journal}", "w", encoding="ascii") as file:
        file.write(content)
    with pytest.raises(ConfigError, match="is no journal of this version"):
        bench.unconfigure()


def test_a_journal_of_another_version_is_told(tmp_path):
    bench = Bench(str(tmp_path), "docker", OLD)
    bench.configure()
    journal = f"{bench.host.state_folder}/{next(name for name in bench.kept() if name.endswith('.json'))}"
    with open(journal, encoding="utf-8") as file:
        text = file.read()
    with open(journal, "w", encoding="utf-8") as file:
        file.write(text.replace('"version":1', '"version":2', 1))
    with pytest.raises(ConfigError, match="is no journal of this version: its version is 2"):
        bench.configure(name="b")


def test_two_files_have_a_journal_each(tmp_path):
    one, other = Bench(str(tmp_path), "docker", OLD), Bench(str(tmp_path), "docker")
    other.path = f"{tmp_path}/other/daemon.json"
    other.write(OLD)
    one.configure()
    other.configure(name="b")
    one.unconfigure()
    assert (one.read(), other.view().runtimes) == (OLD, {"b": PROGRAM})
    other.unconfigure()
    assert other.read() == OLD


def test_mode_and_owner_stay(tmp_path):
    bench = Bench(str(tmp_path), "docker", OLD)
    os.chmod(bench.path, 0o640)
    if os.geteuid() == 0:
        os.chown(bench.path, 12, 34)
    before = os.stat(bench.path)
    for step in (bench.configure, bench.unconfigure):
        step()
        now = os.stat(bench.path)
        assert (now.st_mode, now.st_uid, now.st_gid) == (before.st_mode, before.st_uid, before.st_gid)


def test_a_link_stays_and_its_target_is_replaced(tmp_path):
    bench = Bench(str(tmp_path), "docker", OLD)
    real = tmp_path / "srv/daemon.json"
    os.makedirs(real.parent)
    os.rename(bench.path, real)
    os.symlink("../../srv/daemon.json", bench.path)
    bench.configure()
    assert os.path.islink(bench.path)
    assert PROGRAM in real.read_text()
    bench.unconfigure()
    assert os.path.islink(bench.path)
    assert real.read_text() == OLD
    assert os.listdir(real.parent) == ["daemon.json"]


def test_a_link_to_nowhere_is_filled(tmp_path):
    bench = Bench(str(tmp_path), "docker")
    os.makedirs(tmp_path / "etc/docker")
    os.symlink("../../srv/daemon.json", bench.path)
    bench.configure()
    assert PROGRAM in (tmp_path / "srv/daemon.json").read_text()
    bench.unconfigure()
    assert os.path.islink(bench.path)
    assert not os.path.exists(tmp_path / "srv")


@pytest.mark.parametrize(("is_own", "cause"), [(True, "it is read-only"), (False, "permission denied")])
def test_a_file_without_the_right_to_write_is_refused(tmp_path, monkeypatch, is_own, cause):
    bench = Bench(str(tmp_path), "docker", OLD)
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(os, "geteuid", lambda: os.stat(bench.path).st_uid + (not is_own))
    with pytest.raises(Exception, match=f"cannot write .*daemon.json: {cause}"):
        bench.configure()
    assert bench.read() == OLD
    assert bench.kept() == []


def test_a_device_or_a_folder_is_no_configuration(tmp_path):
    bench = Bench(str(tmp_path), "docker")
    os.makedirs(bench.path)
    with pytest.raises(Exception, match=r"cannot read .*daemon.json: Is a directory"):
        bench.configure()


def test_what_is_not_utf8_is_refused_with_its_line(tmp_path):
    bench = Bench(str(tmp_path), "docker", OLD)
    with open(bench.path, "wb") as file:
        file.write('{\n"x": "\u00e9"}'.encode("latin-1"))
    with pytest.raises(ConfigError, match=r"daemon\.json:2: byte 0xe9 is not UTF-8"):
        bench.configure()


def test_the_lock_keeps_two_from_editing_at_once(tmp_path):
    bench = Bench(str(tmp_path), "docker", OLD)
    with bench.journal.locked():
        child = os.fork()
        if not child:
            bench.configure()
            os._exit(0)
        assert os.waitpid(child, os.WNOHANG) == (0, 0)
        assert bench.read() == OLD
    assert os.waitpid(child, 0)[1] == 0
    assert isinstance(bench.journal, Journal)
    assert bench.view().runtimes == {"nvidia": PROGRAM}
