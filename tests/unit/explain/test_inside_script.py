"""The program that looks from inside: it runs anywhere, and needs nothing."""

import ast
import subprocess
import sys
from importlib import resources

import pytest

SCRIPT = resources.files("linkspan.explain").joinpath("data", "inside.py").read_text("utf-8")


def test_it_is_python_3_6_and_imports_the_standard_library_alone():
    tree = ast.parse(SCRIPT, feature_version=(3, 6))
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert imported <= sys.stdlib_module_names
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]


@pytest.mark.allow_subprocess
def test_where_there_is_no_gpu_it_says_so():
    env = {"PATH": "/usr/bin", "NVIDIA_VISIBLE_DEVICES": "all", "SECRET": "x"}
    command = [sys.executable, "-IS", "-"]
    done = subprocess.run(command, input=SCRIPT, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1, done.stderr
    assert "an application here has no GPU" in done.stdout
    assert "NVIDIA_VISIBLE_DEVICES" in done.stdout
    assert "SECRET" not in done.stdout
    assert "cannot open shared object file" in done.stdout
