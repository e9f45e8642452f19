"""The lines of a plan, run by a shell; and the plan as a script, to be read and run."""

import os
import shlex
from collections.abc import Mapping

from linkspan.errors import HostError
from linkspan.kernel import process
from linkspan.setup.model import Plan, Step

SHELL = "/bin/sh"
STEP_S = 3600.0
"""How long one command may take, in seconds: a driver may have to be fetched and built on a slow machine."""
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_KEPT = ("http_proxy", "https_proxy", "no_proxy", "ftp_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "HOME")


def environment(own: Mapping[str, str], program: str = "") -> dict[str, str]:
    """What commands are run with: root's usual PATH, and of the caller's variables only where the network is.

    ``program`` is that of linkspan itself, whose folder is looked into last.
    """
    folder = os.path.dirname(program)
    path = f"{_PATH}:{folder}" if folder.startswith("/") and folder not in _PATH.split(":") else _PATH
    kept = {name: own[name] for name in _KEPT if name in own}
    return {**kept, "PATH": path, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}


def execute(line: str, env: Mapping[str, str], answers: str | None = None) -> None:
    """Run one line. Raises HostError, with the last words of what was run, where it does not end with 0.

    Raises KernelError where it does not end in time, or is ended by a signal.
    """
    result = process.run([SHELL, "-euc", line], env=env, timeout_s=STEP_S, input=answers, check=False)
    if result.code:
        words = " ".join((result.stderr.strip() or result.stdout.strip())[-process.MESSAGE_LIMIT :].split())
        hint = (
            "put that right and run the same again, which goes on here; 'linkspan host undo' takes back what was done"
        )
        cause = f"a command of the plan failed with code {result.code}: {line}"
        raise HostError(f"{cause}: {words}" if words else cause, hint=hint)


def script(plan: Plan) -> str:
    """The plan for a shell: what is done stands there as a comment, and at a restart it ends."""
    head = [
        "#!/bin/sh",
        f"# Set up {plan.system}, kernel {plan.kernel}, for {', '.join(plan.gpus)}.",
        f"# {plan.driver}.",
        *(f"# {note}." for note in plan.notes),
        "# Written by 'linkspan host setup --shell' for this host as it was; to be run by root.",
        "set -eu",
        "export DEBIAN_FRONTEND=noninteractive",
    ]
    return "\n".join([*head, "", *_parts(plan.steps)])


def _parts(steps: tuple[Step, ...]) -> list[str]:
    """Each step; those behind a restart only by name, since the host has to be looked at anew."""
    parts: list[str] = []
    for number, step in enumerate(steps):
        parts.append(_part(step))
        if not step.done and step.restart:
            rest = ", ".join(after.key for after in steps[number + 1 :])
            return [*parts, f"# After the restart: {rest}.\n"]
    return parts


def _part(step: Step) -> str:
    lines = [f"# {step.key}: {step.title} ({step.why})."]
    if step.done:
        return "\n".join([*lines, f"# Done: {step.found}.", ""])
    lines += step.commands or [f"# {step.found}."]
    if step.restart:
        told = f"restart the host now: {step.restart}; then ask linkspan host setup --shell again"
        lines.append(f"echo {shlex.quote(told)}")
    return "\n".join([*lines, ""])
