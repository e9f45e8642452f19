"""Every configuration of the tables, configured, configured again and unconfigured."""

import difflib
import os

import pytest

from linkspan.errors import ConfigError
from tests.unit.engines import containerd_files, crio_files, docker_files, podman_files
from tests.unit.engines.harness import PROGRAM, Bench, parse

FILES = {"docker": docker_files, "podman": podman_files, "containerd": containerd_files, "crio": crio_files}
WANTED = {"plain": {"cdi": False}, "all": {"default": True, "cdi": True, "name": "my.gpu-1"}}
HAS_SWITCH = ("docker", "containerd")


def table(kind):
    return [
        pytest.param(engine, text, id=f"{engine}: {name}")
        for engine, files in FILES.items()
        for name, text in getattr(files, kind).items()
    ]


good = pytest.mark.parametrize(("engine", "text"), table("GOOD"))
taken = pytest.mark.parametrize(("engine", "text"), table("NVIDIAS"))
broken = pytest.mark.parametrize(("engine", "text"), table("BROKEN"))
wanted = pytest.mark.parametrize("wanted", WANTED.values(), ids=WANTED)


def with_edit(engine, text):
    """A file that the user has changed at its start and its end."""
    if engine == "docker":
        body = text.removeprefix("\ufeff")
        if not body.strip():
            return None
        place = body.index("{") + 1
        comma = "" if body.strip()[1:-1].strip() == "" else ","
        return text[: place + len(text) - len(body)] + f'"by-hand": "x"{comma}' + body[place:]
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    end = "" if not text or text.endswith("\n") else "\n"
    return f"{mark}# by hand\n{text.removeprefix(mark)}{end}\n[by.hand]\nx = 1  # here\n"


def lines_missing(old, new):
    """The lines of a file that another has not, but for the comma at their end."""
    lines = [[line.strip().rstrip(",") for line in text.splitlines()] for text in (old, new)]
    return [line[1:] for line in difflib.unified_diff(*lines, n=0) if line.startswith("-") and line != "--- \n"]


def test_there_are_thirty_for_each_engine():
    for files in FILES.values():
        assert len(files.GOOD) + len(files.NVIDIAS) + len(files.BROKEN) >= 30
        assert len(files.GOOD) >= 30


@wanted
@good
def test_what_is_asked_for_is_there_afterwards(tmp_path, engine, text, wanted):
    bench = Bench(str(tmp_path), engine, text)
    bench.configure(**wanted)
    view = bench.view()
    assert view.runtimes[wanted.get("name", "nvidia")] == PROGRAM
    assert not wanted.get("default") or view.default == wanted.get("name", "nvidia")
    if engine in HAS_SWITCH and wanted.get("cdi") is not False:
        assert view.cdi is True


@wanted
@good
def test_configuring_twice_is_configuring_once(tmp_path, engine, text, wanted):
    bench = Bench(str(tmp_path), engine, text)
    bench.configure(**wanted)
    once = bench.read()
    assert not bench.configure(**wanted).changes_file
    assert bench.read() == once


@wanted
@good
def test_unconfiguring_gives_every_byte_back(tmp_path, engine, text, wanted):
    bench = Bench(str(tmp_path), engine, text)
    bench.configure(**wanted)
    bench.unconfigure()
    assert bench.read() == text
    assert bench.kept() == []


@good
def test_what_else_is_in_the_file_stays(tmp_path, engine, text):
    bench = Bench(str(tmp_path), engine, text)
    before = parse(engine, text or "")
    bench.configure()
    after = parse(engine, bench.read())
    assert_kept(before, after)
    if text and "\n" in text.strip() and "{ " not in text and "runtimes = {" not in text:
        missing = lines_missing(text, bench.read())
        assert [line for line in missing if "cdi" not in line and not line.endswith("}")] == []


def assert_kept(before, after):
    for key, value in before.items():
        if isinstance(value, dict):
            assert_kept(value, after[key])
        elif key not in ("cdi", "enable_cdi"):
            assert repr(after[key]) == repr(value)


@wanted
@good
def test_what_the_user_changed_since_stays(tmp_path, engine, text, wanted):
    bench = Bench(str(tmp_path), engine, text)
    bench.configure(**wanted)
    edited = with_edit(engine, bench.read())
    bench.write(edited)
    bench.unconfigure()
    now = parse(engine, bench.read())
    user = with_edit(engine, text or "")
    if user is None:
        assert now == {"by-hand": "x"}
    elif (text or "").strip("\ufeff \t\r\n"):
        assert repr(now) == repr(parse(engine, user))
    else:
        assert now.pop("version", 2) == 2  # the seed of containerd
        assert now == parse(engine, user)
    assert bench.kept() == []


@pytest.mark.parametrize(
    ("engine", "text"),
    [param for param in table("GOOD") if param.values[0] != "docker" and (param.values[1] or "").strip()],
)
def test_a_users_edit_elsewhere_leaves_the_bytes_around_ours(tmp_path, engine, text):
    """Of TOML; what JSON looks like around an edit is in test_jsontext."""
    bench = Bench(str(tmp_path), engine, bench_text(text))
    bench.configure()
    bench.write(f"{bench.read()}# by hand\n")
    bench.unconfigure()
    assert bench.read() == f"{bench_text(text)}# by hand\n"


def bench_text(text):
    return (text if text.endswith("\n") else text + "\n").removeprefix("\ufeff")


@taken
def test_a_runtime_of_somebody_elses_is_not_replaced(tmp_path, engine, text):
    bench = Bench(str(tmp_path), engine, text)
    with pytest.raises(ConfigError, match="has a runtime 'nvidia' already") as caught:
        bench.configure()
    assert "--replace" in caught.value.hint
    assert bench.read() == text
    assert bench.kept() == []


@taken
def test_replaced_on_request_it_comes_back(tmp_path, engine, text):
    bench = Bench(str(tmp_path), engine, text)
    bench.configure(replace=True)
    assert bench.view().runtimes["nvidia"] == PROGRAM
    assert not bench.configure().changes_file
    bench.unconfigure()
    assert bench.read() == text


@taken
def test_replaced_on_request_it_comes_back_beside_a_users_edit(tmp_path, engine, text):
    bench = Bench(str(tmp_path), engine, text)
    before = bench.view()
    bench.configure(replace=True)
    bench.write(with_edit(engine, bench.read()))
    bench.unconfigure()
    assert bench.view() == before
    assert repr(parse(engine, bench.read())) == repr(parse(engine, with_edit(engine, text)))


@taken
def test_another_name_stands_beside_it(tmp_path, engine, text):
    bench = Bench(str(tmp_path), engine, text)
    theirs = bench.view().runtimes["nvidia"]
    bench.configure(name="linkspan")
    assert bench.view().runtimes["linkspan"] == PROGRAM
    assert bench.view().runtimes["nvidia"] == theirs
    bench.unconfigure()
    assert bench.read() == text


@broken
def test_broken_syntax_is_refused_and_left_alone(tmp_path, engine, text):
    bench = Bench(str(tmp_path), engine, text)
    with pytest.raises(ConfigError) as caught:
        bench.configure()
    assert "\n" not in caught.value.message
    assert bench.read() == text
    assert bench.kept() == []


@pytest.mark.parametrize(
    ("engine", "text", "place"),
    [
        ("docker", docker_files.BROKEN["a trailing comma"], ":3:1: not valid JSON"),
        ("docker", docker_files.BROKEN["twice the same key"], ":4:3: not valid JSON"),
        ("podman", podman_files.BROKEN["no quotes"], ":2:11: not valid TOML"),
        ("crio", crio_files.BROKEN["no value"], ":2:4: not valid TOML"),
        ("containerd", containerd_files.BROKEN["no value"], ":1:10: not valid TOML"),
    ],
)
def test_broken_syntax_is_told_with_its_place(tmp_path, engine, text, place):
    bench = Bench(str(tmp_path), engine, text)
    with pytest.raises(ConfigError, match=place) as caught:
        bench.configure()
    assert caught.value.message.startswith(bench.path)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("text", containerd_files.TEMPLATES.values(), ids=containerd_files.TEMPLATES)
@pytest.mark.parametrize("engine", ["k3s", "rke2"])
def test_a_template_gets_a_block_and_loses_it_again(tmp_path, engine, text, version):
    folder = tmp_path / f"var/lib/rancher/{engine}/agent/etc/containerd"
    os.makedirs(folder)
    (folder / "config.toml").write_text(f"version = {version}\n")
    bench = Bench(str(tmp_path), engine, text)
    assert bench.path.endswith("config-v3.toml.tmpl" if version == 3 else "config.toml.tmpl")
    bench.configure()
    once = bench.read()
    assert once.startswith(text or '{{ template "base" . }}')
    assert f'BinaryName = "{PROGRAM}"' in once
    assert ("io.containerd.cri.v1.runtime" in once) is (version == 3)
    assert bench.view().runtimes["nvidia"] == PROGRAM
    assert not bench.configure().changes_file
    bench.write(f"# by hand\n{once}")
    bench.unconfigure()
    assert bench.read() == f"# by hand\n{text}" if text else bench.read().startswith("# by hand\n")
    bench.write(text) if text is not None else os.unlink(bench.path)
    bench.configure()
    bench.unconfigure()
    assert bench.read() == text
