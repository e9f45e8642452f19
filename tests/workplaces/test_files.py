"""The files for places where people work: what they call exists, and nothing of an input becomes a command."""

import re

import pytest

from linkspan.cli import main
from tests.workplaces.runner import DOCKERFILES, OTHERS, ROOT, clean_env, loaded, run


def scripts():
    """Every script that stands in the files for places where people work, by where it stands."""
    found = {f"hook {hook['id']}": hook["entry"] for hook in loaded(".pre-commit-hooks.yaml")[0]}
    steps = loaded("action.yml")[0]["runs"]["steps"]
    found |= {f"action, {step['name']}": step["run"] for step in steps}
    job = loaded("templates/gitlab-ci.yml")[1]["linkspan-dockerfiles"]
    return found | {"gitlab": "\n".join((*job["before_script"], *job["script"]))}


def options_of(name):
    """The options of 'linkspan image NAME'."""
    command = main.load("image").commands[name]
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
    shell = ["bash", "-n", "-c"] if where.startswith("action") else ["sh", "-n", "-c"]
    done = run([*shell, scripts()[where]], clean_env())
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("where", scripts())
def test_inputs_are_never_part_of_a_script(where):
    assert not re.search(r"\$(\{\{|\[\[)", scripts()[where])


@pytest.mark.parametrize("hook", ["linkspan-dockerfile", "linkspan-dockerfile-fix"])
def test_hooks_take_dockerfiles_and_nothing_else(hook):
    found = next(one for one in loaded(".pre-commit-hooks.yaml")[0] if one["id"] == hook)

    def takes(path):
        return bool(re.search(found["files"], path)) and not re.search(found["exclude"], path)

    assert all(map(takes, DOCKERFILES))
    assert not any(map(takes, OTHERS))


def test_the_page_names_every_input_and_hook():
    with open(f"{ROOT}/docs/how-to/check-images-in-ci.md", encoding="utf-8") as file:
        page = file.read()
    names = [*loaded("action.yml")[0]["inputs"], *loaded("templates/gitlab-ci.yml")[0]["spec"]["inputs"]]
    assert all(f"`{name}`" in page for name in names)
    assert all(hook["id"] in page for hook in loaded(".pre-commit-hooks.yaml")[0])
