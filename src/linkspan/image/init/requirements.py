"""The Python packages that a project asks for, from wherever it says so, and the Python that it wants."""

import re
import tomllib
from collections.abc import Iterator

from linkspan.formats import versions
from linkspan.image.init.project import Project
from linkspan.image.shell_commands import project as project_name

_OTHER_JOBS = re.compile(r"dev|test|doc|lint|ci|build", re.IGNORECASE)
_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[^\]]*\])?\s*([<>=!~@;].*)?$")
_IMPORT = re.compile(r"^[ \t]*(?:import|from)[ \t]+([A-Za-z_]\w*)", re.MULTILINE)
_PYTHONS = ("3.12", "3.11", "3.13", "3.10")
"""In the order of preference: the frameworks of today have wheels for the first."""


def manifest(project: Project) -> dict[str, object]:
    """The project's pyproject.toml, empty where there is none that can be read."""
    try:
        return tomllib.loads(project.texts.get("pyproject.toml", ""))
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def section(table: object, *names: str) -> dict[str, object]:
    """A table in a table, empty where there is none."""
    for name in names:
        table = table.get(name) if isinstance(table, dict) else None
    return table if isinstance(table, dict) else {}


def requirement_file(project: Project) -> str:
    """The requirements file of those who run the project, not of those who work on it; empty where there is none."""
    found = [path for path in project.matching("requirements*.txt") if "/" not in path]
    fitting = [path for path in found if not _OTHER_JOBS.search(path.removeprefix("requirements"))]
    return "requirements.txt" if "requirements.txt" in fitting else next(iter(fitting), "")


def requirements(project: Project) -> dict[str, str]:
    """What is asked for, by name; the value is the requirement as it is written."""
    return {project_name(line): line for line in _lines(project)}


def _lines(project: Project) -> Iterator[str]:
    chosen = requirement_file(project)
    for line in project.texts.get(chosen, "").splitlines() if chosen else ():
        bare = line.partition(" #")[0].strip()
        if _REQUIREMENT.match(bare):
            yield bare
    declared = section(manifest(project), "project").get("dependencies")
    for item in declared if isinstance(declared, list) else ():
        if isinstance(item, str) and _REQUIREMENT.match(item):
            yield item
    for item in section(manifest(project), "tool", "poetry", "dependencies"):
        if _REQUIREMENT.match(item) and item != "python":
            yield item
    yield from _quoted(project.texts.get("setup.py", ""))
    yield from _conda(project)


def _quoted(setup: str) -> Iterator[str]:
    for found in re.finditer(r"install_requires\s*=\s*\[([^\]]*)\]", setup):
        yield from (item for item in re.findall(r"[\"']([^\"']+)[\"']", found[1]) if _REQUIREMENT.match(item))


def _conda(project: Project) -> Iterator[str]:
    for text in project.matching("environment.yml", "environment.yaml").values():
        listed = text.partition("\ndependencies:")[2] or text.removeprefix("dependencies:")
        for line in listed.splitlines():
            if re.match(r"[A-Za-z]", line):
                break  # the next key, such as channels, which look like packages
            found = re.match(r"\s*-\s+([A-Za-z][\w.-]*(?:\[[^\]]*\])?)\s*([<>=].*)?$", line)
            if found and found[1] not in ("python", "pip"):
                yield found[1] + re.sub(r"^=(?!=)", "==", found[2] or "")


def imports(project: Project) -> frozenset[str]:
    """The modules that the project's Python imports, by their first name."""
    return frozenset(name for text in project.matching("*.py").values() for name in _IMPORT.findall(text))


def pinned(requirement: str) -> tuple[int, ...] | None:
    """The version that a requirement pins, or keeps to (``==2.4.1``, ``~=2.4``); None where it leaves that open."""
    found = re.search(r"(?:==|~=)\s*(\d+(?:\.\d+)*)", requirement)
    return versions.parse(found[1]) if found else None


def python(project: Project, wanted: dict[str, str]) -> str:
    """The Python to take, ``3.12`` unless project or framework want another."""
    given = section(manifest(project), "project").get("requires-python")
    spec = given if isinstance(given, str) else ""
    written = re.match(r"3\.\d+", project.texts.get(".python-version", "").strip())
    if written:
        return written[0]
    torch, tensorflow = pinned(wanted.get("torch", "")), pinned(wanted.get("tensorflow", ""))
    is_old = (torch is not None and torch < (2, 2)) or (tensorflow is not None and tensorflow < (2, 16))
    candidates = [one for one in _PYTHONS if not is_old or one in ("3.11", "3.10")]
    return next((one for one in candidates if _allowed(one, spec)), candidates[0])


def _allowed(version: str, spec: str) -> bool:
    have = versions.parse(version) or ()
    for clause in filter(None, (part.strip() for part in spec.split(","))):
        found = re.match(r"(>=|<=|==|~=|>|<|!=)\s*(\d+(?:\.\d+)?)", clause)
        limit = versions.parse(found[2]) if found else None
        if found and limit and not _fits(found[1], versions.compare(have, limit), have, limit):
            return False
    return True


def _fits(operator: str, order: int, have: tuple[int, ...], limit: tuple[int, ...]) -> bool:
    # '>3.12' of a whole series means its point releases, too, which the images' newest is.
    if operator in ("==", "~="):
        return have[: len(limit)] == limit or (operator == "~=" and order > 0)
    return {">=": order >= 0, ">": order >= 0, "<": order < 0, "<=": order <= 0}.get(operator, order != 0)
