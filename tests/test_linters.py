"""The linters, the types, the layers and the lock file, as tests: when these pass, all of it holds."""

import os
import re
import shutil
import subprocess
import sys
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDERS = ("src", "tests")


def check(*command: str) -> None:
    """Run a linter from the repository's root; its output is the failure."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        pytest.fail(f"{' '.join(command[:4])}\n{done.stdout}{done.stderr}", pytrace=False)


def tool(name: str) -> str:
    """A program of this virtual environment."""
    return os.path.join(os.path.dirname(sys.executable), name)


def test_ruff_finds_nothing():
    check(tool("ruff"), "check", ".")


def test_every_file_is_formatted():
    check(tool("ruff"), "format", "--check", ".")


def test_types_hold():
    check(tool("mypy"))


def test_layers_hold():
    check(tool("lint-imports"), "--config", "importlinter.ini")


def shell_scripts() -> list[str]:
    """Every tracked or new file that names a shell in its first line."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    return [path for path in listed.stdout.decode().splitlines() if is_shell(f"{ROOT}/{path}")]


def is_shell(path: str) -> bool:
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        return re.match(rb"#!(/usr)?/bin/(env )?(ba)?sh\b", file.readline()) is not None


def test_shellcheck_finds_nothing_in_scripts():
    if not shutil.which("shellcheck"):
        pytest.skip("shellcheck is not installed")
    check("shellcheck", *shell_scripts())


def wanted() -> list[Requirement]:
    """What pyproject.toml asks for, to run, to develop and to build."""
    with open(f"{ROOT}/pyproject.toml", "rb") as file:
        project = tomllib.load(file)
    groups = (
        project["project"]["dependencies"],
        project["dependency-groups"]["dev"],
        project["build-system"]["requires"],
    )
    return [Requirement(line) for group in groups for line in group]


def locked() -> dict[str, str]:
    """Package to version, from the lock file."""
    with open(f"{ROOT}/requirements.lock", encoding="ascii") as file:
        return dict(re.findall(r"^(\S+)==(\S+) \\$", file.read(), re.MULTILINE))


@pytest.mark.parametrize("requirement", wanted(), ids=str)
def test_the_lock_file_holds_what_is_asked_for(requirement):
    version = locked().get(canonicalize_name(requirement.name))
    assert version, "run 'make lock'"
    assert requirement.specifier.contains(version), "run 'make lock'"


def test_every_locked_package_has_hashes_and_no_address():
    with open(f"{ROOT}/requirements.lock", encoding="ascii") as file:
        text = file.read()
    statements = [line for line in text.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]
    assert len(statements) == len(locked())
    assert all("--hash=sha256:" in statement for statement in statements)
    assert "://" not in text


def test_no_module_is_too_long_to_be_read_in_one_sitting():
    lengths = {}
    for folder, _, names in os.walk(f"{ROOT}/src"):
        for name in names:
            if name.endswith(".py"):
                with open(f"{folder}/{name}", encoding="utf-8") as file:
                    lengths[name] = sum(1 for _ in file)
    assert {name: length for name, length in lengths.items() if length > 400} == {}
