import json
import tomllib

import pytest

from linkspan.cli import main, output
from linkspan.formats.toolkit_config import ToolkitConfig, parse

TEXT = """\
# ours
disable-require = true
speed = "high"

[nvidia-container-runtime]
mode = "cdi"

[later]
x = 1
"""


@pytest.fixture
def config(tmp_path, monkeypatch):
    """A config.toml, the one in force."""
    path = tmp_path / "config.toml"
    path.write_text(TEXT)
    monkeypatch.setenv("NVIDIA_CTK_CONFIG_FILE_PATH", str(path))
    return str(path)


def shown(capsys, *argv, code=output.OK):
    assert main.run(["config", *argv]) == code
    return capsys.readouterr()


def test_show_prints_a_file_that_means_the_same(config, capsys):
    printed = shown(capsys, "show").out
    assert printed.startswith(f"# {config}\n")
    assert parse(printed, "printed") == parse(TEXT, config)


def test_show_has_the_defaults_as_comments_that_can_be_taken_up(config, capsys):
    printed = shown(capsys, "show").out
    taken_up = "\n".join(line.removeprefix("#") for line in printed.splitlines()[1:] if "line " not in line)
    assert parse(taken_up, "printed") == ToolkitConfig()


def test_show_says_which_line_a_setting_came_from(config, capsys):
    lines = shown(capsys, "show").out.splitlines()
    assert "disable-require = true  # line 2" in lines
    assert 'mode = "cdi"  # line 6' in lines


def test_show_warns_of_settings_that_have_no_effect(config, capsys):
    warnings = shown(capsys, "show").err.splitlines()
    assert [line.partition(" is no setting")[0] for line in warnings] == [
        f"linkspan: {config}:3: speed",
        f"linkspan: {config}:8: later",
        f"linkspan: {config}:9: later.x",
    ]


def test_show_as_json_has_value_and_source_of_every_setting(config, capsys):
    document = json.loads(shown(capsys, "show", "--json").out)
    assert document["path"] == config
    assert document["exists"] is True
    assert document["settings"]["disable-require"] == {"value": True, "from": f"{config}:2"}
    assert document["settings"]["nvidia-container-runtime.log-level"] == {"value": "info", "from": "default"}
    assert document["unknown"] == [f"{config}:3: speed", f"{config}:8: later", f"{config}:9: later.x"]


def test_show_of_an_absent_file_is_all_defaults(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    printed = shown(capsys, "show").out
    assert printed.startswith(f"# {tmp_path}/nvidia-container-runtime/config.toml (absent: all defaults)\n")
    assert tomllib.loads(printed)["nvidia-ctk"] == {}


def test_a_file_that_was_named_has_to_be_there(capsys):
    printed = shown(capsys, "show", "--config", "/nonexistent/c.toml", code=output.CANNOT_LOOK)
    assert printed == ("", "linkspan: /nonexistent/c.toml: no such file or directory\n")


def test_a_bad_value_is_named_with_its_line(tmp_path, capsys):
    path = tmp_path / "c.toml"
    path.write_text("\ndisable-require = 1\n")
    printed = shown(capsys, "show", "--config", str(path), code=output.FAILED)
    assert printed.err.startswith(f"linkspan: {path}:2: disable-require is the number 1, not true or false\nhint: ")


def test_path_names_the_file_in_force(config, capsys):
    assert shown(capsys, "path") == (f"{config}\n", "")


def test_path_says_when_there_is_no_such_file(monkeypatch, capsys):
    monkeypatch.setenv("NVIDIA_CTK_CONFIG_FILE_PATH", "/nonexistent/c.toml")
    printed = shown(capsys, "path")
    assert printed == ("/nonexistent/c.toml\n", "linkspan: this file does not exist, so the defaults hold\n")


def test_path_as_json_says_who_chose_it(config, capsys):
    document = json.loads(shown(capsys, "path", "--json").out)
    assert document == {"path": config, "exists": True, "named_by_environment": True}
