"""Applies what findings offer to mend by themselves, and takes it back.

Each action is written to a journal before it is done, with what it replaces, so that whatever happens in between, undo
knows of it. The newest journal is the one that undo takes.
"""

import difflib
import os
import stat
import time
from collections.abc import Iterator, Sequence

import msgspec

from linkspan.check.model import Action, Finding, MakeLink, MakeNode, RunProgram, WriteFile
from linkspan.errors import HostError, KernelError
from linkspan.facts.model import Model
from linkspan.kernel import process, trees
from linkspan.kernel.files import write_whole

FOLDER = "/var/lib/linkspan/fixes"
PROGRAM_S = 300.0
_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


class Step(Model, frozen=True, kw_only=True):
    """An action, and the finding that it mends."""

    finding: str
    action: Action


class Journal(Model, frozen=True, kw_only=True):
    """What one run did, in its order; the last step may have been cut off."""

    root: str
    steps: tuple[Step, ...] = ()


def steps_of(findings: Sequence[Finding]) -> list[Step]:
    """What can be done about these findings, each action once."""
    found: dict[Action, Step] = {}
    for one in findings:
        for action in one.remedy.actions:
            found.setdefault(action, Step(finding=one.id, action=action))
    return list(found.values())


def describe(action: Action) -> str:
    """An action as a diff, or as the command that does the same."""
    match action:
        case WriteFile(path=path, was=was, text=text):
            before = "/dev/null" if was is None else path
            return "".join(_lines(difflib.unified_diff(_split(was or ""), _split(text), before, path)))
        case MakeLink(path=path, target=target):
            return f"+ ln -s {target} {path}\n"
        case MakeNode(path=path, major=major, minor=minor, was=was):
            return f"- rm {path}\n" * bool(was) + f"+ mknod {path} c {major} {minor}\n"
        case RunProgram(argv=argv):
            return f"$ {' '.join(argv)}\n"


def _split(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _lines(lines: Iterator[str]) -> Iterator[str]:
    return (line if line.endswith("\n") else f"{line}\n\\ no newline at the end\n" for line in lines)


def apply(root: str, steps: Sequence[Step]) -> Iterator[Step]:
    """Do the steps in their order, each told when it is done.

    Raises HostError where a file is not any more what the finding was about, KernelError where a step fails: what was
    done before stays done, and undo takes it back.
    """
    base = root.rstrip("/")
    trees.make_folders(base + FOLDER, 0o700)
    path = f"{base}{FOLDER}/{time.time_ns()}.json"
    journal = Journal(root=root)
    for step in steps:
        _refuse_changed(base, step.action)
        journal = msgspec.structs.replace(journal, steps=(*journal.steps, step))
        write_whole(path, msgspec.json.encode(journal), 0o600)
        _do(base, step.action)
        yield step


def _refuse_changed(base: str, action: Action) -> None:
    if isinstance(action, WriteFile) and _text(base + action.path) != action.was:
        hint = "run the doctor again"
        raise HostError(f"{action.path} has changed since it was looked at", hint=hint, subject=action.path)
    if isinstance(action, MakeLink | MakeNode) and os.path.lexists(base + action.path) != bool(
        isinstance(action, MakeNode) and action.was
    ):
        raise HostError(f"{action.path} is not as it was when it was looked at", hint="run the doctor again")


def _do(base: str, action: Action) -> None:
    match action:
        case WriteFile(path=path, was=was, text=text, mode=mode):
            trees.make_folders(os.path.dirname(base + path))
            write_whole(base + path, text.encode(errors="surrogateescape"), mode if was is None else None)
        case MakeLink(path=path, target=target):
            trees.make_folders(os.path.dirname(base + path))
            trees.make_link(target, base + path)
        case MakeNode(path=path, major=major, minor=minor, mode=mode):
            trees.make_folders(os.path.dirname(base + path))
            trees.remove_file(base + path)
            _make_node(base + path, major, minor, mode)
        case RunProgram(argv=argv):
            process.run(argv, env=_ENVIRONMENT, timeout_s=PROGRAM_S)


def _make_node(path: str, major: int, minor: int, mode: int) -> None:
    try:
        os.mknod(path, stat.S_IFCHR | mode, os.makedev(major, minor))
        os.chmod(path, mode)
    except OSError as error:
        raise KernelError(f"cannot make the node {path}: {error.strerror}", subject=path) from None


def undo(root: str) -> Iterator[str]:
    """Take back what the newest run did, the last step first, with a sentence each.

    Raises HostError where there is nothing to take back. A file that somebody changed since stays as it is, and so do
    programs that have no way back; both are told.
    """
    base = root.rstrip("/")
    path = _newest(base + FOLDER)
    try:
        with open(path, "rb") as file:
            journal = msgspec.json.decode(file.read(), type=Journal)
    except (OSError, msgspec.DecodeError) as error:
        raise HostError(f"cannot read {path}: {error}", subject=path) from None
    for step in reversed(journal.steps):
        yield _take_back(base, step.action)
    trees.remove_file(path)


def _newest(folder: str) -> str:
    names = sorted(os.listdir(folder), key=len) if os.path.isdir(folder) else []
    kept = sorted(name for name in names if name.endswith(".json"))
    if not kept:
        raise HostError("there is nothing to take back", hint="'linkspan doctor --fix' keeps what it does here")
    return f"{folder}/{kept[-1]}"


def _take_back(base: str, action: Action) -> str:
    match action:
        case WriteFile():
            return _take_back_file(base, action)
        case MakeLink():
            return _take_back_link(base, action)
        case MakeNode():
            return _take_back_node(base, action)
        case RunProgram():
            return _run_back(action)


def _take_back_file(base: str, file: WriteFile) -> str:
    if _text(base + file.path) != file.text:
        return f"{file.path} was changed since, or was never written: left as it is"
    if file.was is None:
        trees.remove_file(base + file.path)
        return f"{file.path} removed"
    write_whole(base + file.path, file.was.encode(errors="surrogateescape"), None)
    return f"{file.path} as it was"


def _take_back_link(base: str, link: MakeLink) -> str:
    path = base + link.path
    if not os.path.islink(path) or os.readlink(path) != link.target:
        return f"{link.path} is no longer the link that was made: left as it is"
    trees.remove_file(path)
    return f"{link.path} removed"


def _take_back_node(base: str, node: MakeNode) -> str:
    path = base + node.path
    found = os.lstat(path) if os.path.lexists(path) else None
    if found is None or found.st_rdev != os.makedev(node.major, node.minor):
        return f"{node.path} is no longer the node that was made: left as it is"
    trees.remove_file(path)
    if node.was:
        _make_node(path, *node.was, node.mode)
        return f"{node.path} as it was"
    return f"{node.path} removed"


def _run_back(program: RunProgram) -> str:
    if not program.undo:
        return f"'{' '.join(program.argv)}' cannot be taken back"
    process.run(program.undo, env=_ENVIRONMENT, timeout_s=PROGRAM_S)
    return f"'{' '.join(program.undo)}' done"


def _text(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KernelError(f"cannot read {path}: {error.strerror}", subject=path) from None
