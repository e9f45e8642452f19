"""What ``linkspan explain`` says of a container, held against the container itself."""

import json
import re
from collections.abc import Callable
from typing import Any

from tests.engines import inside, machine
from tests.engines.machine import Machine
from tests.privileged.inside import _OPEN_BY_PERL

Ask = Callable[..., str]
"""Runs a command in the container; what it prints."""

LIBRARIES = ("libcuda.so.1", "libnvidia-ml.so.1")
_TRIED = re.compile(r"trying file=(\S+)")


def explain(host: Machine, name: str, *options: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the account of a container, as the machine that it runs on sees it."""
    done = host.run(machine.PYTHON, "-m", "linkspan", "explain", name, "--json", *options)
    assert done.returncode in (0, 1), done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, document


def assert_agrees(host: Machine, name: str, ask: Ask) -> dict[str, Any]:
    """The account agrees with the mounts, the rules and the loader of the container; the whole document."""
    _, document = explain(host, name)
    account = document["account"]
    assert_mounts(account, ask)
    assert_rules(account, ask)
    assert_loader(account, ask)
    return document


def assert_mounts(account: dict[str, Any], ask: Ask) -> None:
    """Every mount of the driver's that mountinfo has, and no other."""
    mounts = [line.split()[4] for line in ask("cat", "/proc/self/mountinfo").splitlines()]
    told = sorted(one["path"] for one in account["mounts"])
    real = sorted(path for path in mounts if re.search(r"nvidia|libcuda|libnv", path))
    assert told == real, sorted(set(told) ^ set(real))


def assert_rules(account: dict[str, Any], ask: Ask) -> None:
    """What may be opened is what the kernel lets be opened."""
    answers = inside.answers(ask(*inside.open_nodes()))
    told = {
        one["minor"]
        for one in [*account["nodes"], *account.get("others", ())]
        if one["allowed"] and one["major"] == 195
    }
    assert {int(minor) for minor, answer in answers.items() if answer == "ENXIO"} == {one for one in told if one < 8}


def assert_loader(account: dict[str, Any], ask: Ask) -> None:
    """The file that the loader takes, and how far it had to look, by its own words."""
    for name in LIBRARIES:
        found = account["libraries"].get(name, [])
        taken = next((one for one in found if one["outcome"] in ("taken", "fails")), None)
        script = f"LD_DEBUG=libs perl -MDynaLoader -e '{_OPEN_BY_PERL}' {name} 2>&1 || true"
        printed = ask("/bin/sh", "-c", script)
        answer = next((line for line in printed.splitlines() if line.startswith(f"{name} ")), "")
        tried = [path for path in _TRIED.findall(printed) if path.endswith(f"/{name}")]
        if taken is None:
            assert "cannot open shared object file" in answer
        elif taken["outcome"] == "fails":
            assert "file too short" in answer
            assert tried[-1] == taken["path"]
        else:
            assert answer == f"{name} {taken['real']}", (answer, found)
            assert tried[-1] == taken["path"]
