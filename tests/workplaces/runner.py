"""Stand-ins for the machines that run our integrations: scripts as they stand in the files, in a shell like theirs."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any, NamedTuple

from ruamel.yaml import YAML

from tests.debian import UnavailableError

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TIMEOUT_S = 240
GOOD = """FROM debian:12.5-slim
COPY --chown=65534:65534 train /app/
USER 65534:65534
CMD ["/app/train"]
"""
BAD = "FROM debian:12.5-slim\nRUN apt-get install -y nvidia-driver-535\nUSER 1\n"
"""Its second line breaks DF-DRIVER-1."""

DOCKERFILES = (
    *("Dockerfile", "a/Dockerfile.gpu", "Containerfile", "x/train.dockerfile", "b c/Dockerfile", "Dockerfile-cpu"),
    *("x/train.containerfile", "é,%/Dockerfile", "-q/Dockerfile"),
)
"""Names of files that every integration takes."""
OTHERS = (
    *("Dockerfile.bak", "Dockerfile.bak.1", "Dockerfile.gpu.dockerignore", "docs/Dockerfiles.md", "Dockerfile.md"),
    *("main.py", "Dockerfile.j2", "Dockerfile.in", "xDockerfile"),
)
"""Names of files that none takes."""


class Command(NamedTuple):
    """A workflow command as GitHub's runner takes it."""

    name: str
    properties: dict[str, str]
    text: str


def loaded(path: str) -> list[Any]:
    """The documents of one of our YAML files."""
    with open(f"{ROOT}/{path}", encoding="utf-8") as file:
        return list(YAML(typ="safe").load_all(file))


def tree(folder: str) -> str:
    """A copy of this repository with what is changed in it, as a commit of its own; its path."""
    listed = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        if os.path.isfile(f"{ROOT}/{name}"):
            os.makedirs(os.path.dirname(f"{folder}/{name}"), exist_ok=True)
            shutil.copy2(f"{ROOT}/{name}", f"{folder}/{name}", follow_symlinks=False)
    return repository(folder)


def repository(folder: str) -> str:
    """Make a folder a repository with one commit of all that is in it; its path."""
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--no-verify", "--message", "all")
    return folder


def git(folder: str, *arguments: str) -> str:
    """What git prints, with nobody's settings. UnavailableError where there is none."""
    if not shutil.which("git"):
        raise UnavailableError("git is not installed")
    who = {f"GIT_{role}_{what}": "x" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    env = clean_env() | who | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = run(["git", "-c", "safe.directory=*", "-C", folder, *arguments], env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def clean_env() -> dict[str, str]:
    """What of this process's environment another program needs: where programs, packages and temporary files are."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "http_proxy", "https_proxy", "no_proxy")
    return {
        name: value
        for name, value in os.environ.items()
        if name in kept or name.startswith(("PIP_", "SSL_", "REQUESTS_"))
    }


def run(argv: list[str], env: Mapping[str, str], cwd: str = ROOT) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end, without a standard input."""
    return subprocess.run(
        argv,
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def commands(printed: str) -> list[Command]:
    """The workflow commands of an output, read as the runner reads them (its ActionCommand.TryParseV2)."""
    found = []
    for line in printed.splitlines():
        if line.lstrip().startswith("::") and "::" in line.lstrip()[2:]:
            head, _, text = line.lstrip()[2:].partition("::")
            name, _, properties = head.partition(" ")
            pairs = (one.split("=", 1) for one in properties.split(",") if "=" in one)
            found.append(Command(name, {key: _plain(value) for key, value in pairs}, _plain(text, ("0D", "0A", "25"))))
    return found


def _plain(text: str, codes: tuple[str, ...] = ("0D", "0A", "3A", "2C", "25")) -> str:
    for code in codes:  # the percent sign last, as the runner does
        text = text.replace(f"%{code}", chr(int(code, 16)))
    return text


def upload_refuses(path: str) -> list[str]:
    """Why code scanning would not take a SARIF file, by GitHub's page "SARIF support for code scanning"."""
    with open(path, encoding="utf-8") as file:
        log = json.load(file)
    wrong = [] if log["version"] == "2.1.0" and log["$schema"].endswith("sarif-2.1.0.json") else ["version"]
    for run_ in log["runs"]:
        rules = run_["tool"]["driver"]["rules"]
        wrong += ["tool"] if not run_["tool"]["driver"]["name"] else []
        wrong += ["rules"] if len(rules) > 25_000 or len({rule["id"] for rule in rules}) < len(rules) else []
        wrong += [f"rule {rule['id']}" for rule in rules if not _is_rule(rule)]
        wrong += ["results"] if len(run_["results"]) > 25_000 else []
        wrong += [f"result {one['ruleId']}" for one in run_["results"] if not _is_result(one, rules)]
    return wrong


def _is_rule(rule: dict[str, Any]) -> bool:
    texts = [rule["shortDescription"]["text"], rule["fullDescription"]["text"], rule["help"]["text"]]
    return bool(rule["id"]) and len(rule["id"]) <= 255 and all(texts) and max(map(len, texts[:2])) <= 1024


def _is_result(one: dict[str, Any], rules: list[dict[str, Any]]) -> bool:
    named = rules[one["ruleIndex"]]["id"] == one["ruleId"]
    level = one["level"] in ("none", "note", "warning", "error")
    return bool(named and level and one["message"]["text"] and 1 <= len(one["locations"]) <= 1000) and all(
        _is_place(place["physicalLocation"]) for place in one["locations"]
    )


def _is_place(place: dict[str, Any]) -> bool:
    uri = place["artifactLocation"]["uri"]
    relative = bool(uri) and not uri.startswith(("/", "..")) and not re.match(r"[a-z][a-z0-9+.-]*:", uri, re.IGNORECASE)
    return (
        relative
        and re.fullmatch(r"[\w.~!$&'()*+,;=@/%-]+", uri, re.ASCII) is not None
        and (place["region"]["startLine"] >= 1)
    )
