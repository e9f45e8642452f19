import json
import os
import re
import subprocess

import pytest
import typer
from ruamel.yaml import YAML

from linkspan.cli import image_init, main, output
from linkspan.image.dockerfile_model import on_cuda

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BAD = on_cuda("ENV CUDA_VISIBLE_DEVICES=0", "COPY model.gguf /opt/")


@pytest.fixture
def run(monkeypatch, capsys):
    """Run 'image COMMAND …' of these two commands; the exit code and what was printed."""
    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command("init")(image_init.init)
    app.command("fix")(image_init.fix)
    monkeypatch.setattr(main, "app", app)

    def call(*argv, code=output.OK):
        assert main.run(list(argv)) == code
        return capsys.readouterr()

    return call


@pytest.fixture
def project(tmp_path):
    (tmp_path / "requirements.txt").write_text("torch==2.9.1\n")
    return tmp_path


def test_init_writes_both_files_once_and_leaves_them_as_they_are_the_next_time(run, project):
    assert f"wrote {project}/Dockerfile" in run("init", str(project)).out
    assert (project / ".dockerignore").exists()
    assert f"is up to date: {project}/Dockerfile" in run("init", str(project)).out
    assert not list(project.glob("*.bak"))


def test_init_does_not_overwrite_without_force_and_keeps_a_backup_with_it(run, project):
    (project / "Dockerfile").write_text("FROM mine:1\n")
    said = run("init", str(project), code=output.FAILED).err
    assert "is there already" in said
    assert "--force" in said
    assert not (project / ".dockerignore").exists()
    run("init", str(project), "--force")
    assert (project / "Dockerfile.bak").read_text() == "FROM mine:1\n"
    assert "torch" not in (project / "Dockerfile.bak").read_text()
    (project / "Dockerfile").write_text("FROM mine:2\n")
    run("init", str(project), "--force")
    assert (project / "Dockerfile.bak.1").read_text() == "FROM mine:2\n"


def test_init_dry_run_prints_and_writes_nothing(run, project):
    assert "FROM python:" in run("init", str(project), "--dry-run").out
    assert os.listdir(project) == ["requirements.txt"]


def test_init_json_has_kind_files_and_reasons(run, project):
    told = json.loads(run("init", str(project), "--dry-run", "--json").out)
    assert told["kind"] == "pytorch"
    assert [draft["action"] for draft in told["drafts"]] == ["create", "create"]
    assert told["written"] is False
    assert told["reasons"]


def test_init_of_an_empty_folder_says_what_it_looked_for(run, tmp_path):
    assert "requirements.txt" in run("init", str(tmp_path), code=output.FAILED).err


@pytest.fixture
def bad(tmp_path):
    path = tmp_path / "Dockerfile"
    path.write_text(BAD)
    path.chmod(0o640)
    return path


def test_fix_prints_a_diff_and_what_is_left_and_changes_nothing(run, bad):
    said = run("fix", str(bad), code=output.FAILED)
    assert "-ENV CUDA_VISIBLE_DEVICES=0" in said.out
    assert "DF-ENV-2" in said.err
    assert ":3: warning DF-FILES-2" in said.err
    assert bad.read_text() == BAD


def test_fix_write_changes_the_file_with_a_backup_and_its_mode(run, bad):
    run("fix", str(bad), "--write", code=output.FAILED)
    assert "CUDA_VISIBLE_DEVICES" not in bad.read_text()
    assert bad.stat().st_mode & 0o777 == 0o640
    assert (bad.parent / "Dockerfile.bak").read_text() == BAD
    run("fix", str(bad), "--write", "--fail-on", "error")
    assert not (bad.parent / "Dockerfile.bak.1").exists()


def test_fix_without_backup_leaves_none(run, bad):
    run("fix", str(bad), "--write", "--no-backup", code=output.FAILED)
    assert os.listdir(bad.parent) == ["Dockerfile"]


def test_fix_json_has_diff_mended_and_left(run, bad):
    told = json.loads(run("fix", str(bad), "--json", code=output.FAILED).out)[0]
    assert [one["id"] for one in told["mended"]] == ["DF-ENV-2"]
    assert [one["id"] for one in told["left"]] == ["DF-FILES-2"]
    assert told["diff"].startswith("--- a/")


def test_fix_annotates_for_github_on_one_line_each(run, bad):
    lines = run("fix", str(bad), "--github", code=output.FAILED).out.splitlines()
    assert len(lines) == 2
    assert all(re.match(r"::(warning|error|notice) file=\S+,line=\d+,title=DF-", line) for line in lines)


def test_fix_of_a_clean_file_says_nothing(run, tmp_path):
    (tmp_path / "Dockerfile").write_text(on_cuda())
    said = run("fix", str(tmp_path / "Dockerfile"))
    assert (said.out, said.err) == ("", "")


@pytest.mark.parametrize(
    ("content", "code", "cause"),
    [
        (b"FROM a\nRUNN x\n", output.FAILED, "line 2: there is no instruction"),
        (b"\xff\xfe", output.FAILED, "no text in UTF-8"),
        (None, output.CANNOT_LOOK, "no such file"),
    ],
)
def test_fix_of_what_is_no_dockerfile_says_so(run, tmp_path, content, code, cause):
    path = tmp_path / "Dockerfile"
    if content is not None:
        path.write_bytes(content)
    assert cause in run("fix", str(path), code=code).err.replace("\n", " ")


def test_fix_with_an_unknown_severity_is_wrong_usage(run, bad):
    assert "not one of" in run("fix", str(bad), "--fail-on", "awful", code=output.USAGE).err


def loaded(path):
    with open(f"{ROOT}/{path}", encoding="utf-8") as file:
        return list(YAML(typ="safe").load_all(file))


def scripts():
    """Every script that stands in the files for places where people work, by where it stands."""
    found = {f"hook {hook['id']}": hook["entry"] for hook in loaded(".pre-commit-hooks.yaml")[0]}
    steps = loaded("action.yml")[0]["runs"]["steps"]
    found |= {f"action, {step['name']}": step["run"] for step in steps}
    job = loaded("templates/gitlab-ci.yml")[1]["linkspan-dockerfiles"]
    return found | {"gitlab": "\n".join((*job["before_script"], *job["script"]))}


def options_of(name):
    """The options of 'linkspan image NAME', those of the real command where this one is not known here."""
    if name in ("init", "fix"):
        app = typer.Typer(rich_markup_mode=None)
        app.command()(getattr(image_init, name))
        command = typer.main.get_command(app)
    elif "image" in main.COMMANDS:
        command = main.load("image").commands[name]
    else:
        pytest.skip("the command 'linkspan image' is not registered yet")
    return {option for one in command.params for option in (*one.opts, *one.secondary_opts)}


@pytest.mark.parametrize("where", scripts())
def test_commands_and_options_that_integrations_call_exist(where):
    for name, rest in re.findall(r"\blinkspan image (\w+)([^\n|]*)", scripts()[where]):
        assert set(re.findall(r"(?<=\s)--[a-z-]+", rest)) <= options_of(name)


def test_every_integration_calls_linkspan():
    calling = [where for where, script in scripts().items() if "linkspan image fix" in script]
    assert len(calling) == 4


@pytest.mark.parametrize("where", [where for where in scripts() if not where.startswith("hook")])
def test_scripts_of_integrations_are_ones_that_a_shell_reads(where):
    text = re.sub(r"\$(\{\{|\[\[).*?(\}\}|\]\])", "x", scripts()[where])
    done = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("step", ["Check Dockerfiles", "Check the image", "Install linkspan"])
def test_inputs_of_the_action_are_never_part_of_a_script(step):
    assert "${{" not in scripts()[f"action, {step}"]


@pytest.mark.parametrize("hook", ["linkspan-dockerfile", "linkspan-dockerfile-fix"])
def test_hooks_take_dockerfiles_and_nothing_else(hook):
    found = next(one for one in loaded(".pre-commit-hooks.yaml")[0] if one["id"] == hook)

    def takes(path):
        return bool(re.search(found["files"], path)) and not re.search(found["exclude"], path)

    assert all(map(takes, ["Dockerfile", "a/Dockerfile.gpu", "Containerfile", "x/train.dockerfile"]))
    assert not any(map(takes, ["Dockerfile.bak", "Dockerfile.gpu.dockerignore", "docs/Dockerfiles.md", "main.py"]))


def test_the_page_names_every_input_and_hook():
    with open(f"{ROOT}/docs/how-to/check-images-in-ci.md", encoding="utf-8") as file:
        page = file.read()
    names = [*loaded("action.yml")[0]["inputs"], *loaded("templates/gitlab-ci.yml")[0]["spec"]["inputs"]]
    assert all(f"`{name}`" in page for name in names)
    assert all(hook["id"] in page for hook in loaded(".pre-commit-hooks.yaml")[0])
