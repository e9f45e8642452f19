"""What a project is started by."""

import re

from linkspan.image.init import requirements
from linkspan.image.init.project import Project

_USUAL = ("main.py", "app.py", "serve.py", "server.py", "inference.py", "infer.py", "predict.py", "train.py", "run.py")
_APPLICATION = re.compile(
    r"^(?P<name>[A-Za-z_]\w*)\s*(?::[^=\n]*)?=\s*(?P<kind>FastAPI|Starlette|Flask)\(", re.MULTILINE
)
PORT = "8000"
"""Where a service listens that says nothing of it."""
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def command(project: Project) -> tuple[str, ...]:
    """The command of a Python project: its script, its package, its service, or its program; else ``python3``."""
    scripts = requirements.section(requirements.manifest(project), "project", "scripts")
    named = next((name for name in scripts if _PLAIN.fullmatch(name)), "")
    if named:
        return (named,)
    package = next((path.split("/")[-2] for path in project.matching("__main__.py") if "/" in path), "")
    if _PLAIN.fullmatch(package):
        return ("python3", "-m", package)
    if served := _service(project):
        return served
    usual = next((name for name in _USUAL if name in project.texts), "")
    own = (path for path, text in project.matching("*.py").items() if "/" not in path and "__main__" in text)
    program = usual or next((path for path in own if _PLAIN.fullmatch(path)), "")
    return ("python3", program) if program else ("python3",)


def _service(project: Project) -> tuple[str, ...]:
    """How a service is started whose file only makes an application; empty where there is none, or no server for it."""
    wanted = requirements.requirements(project)
    for path, text in sorted(project.matching("*.py").items()):
        made = _APPLICATION.search(text)
        if not made or "/" in path or "__main__" in text:
            continue
        where = f"{_stem(path)}:{made['name']}"
        is_async = made["kind"] != "Flask"
        if is_async and ("uvicorn" in wanted or "[standard]" in wanted.get("fastapi", "")):
            return ("uvicorn", where, "--host", "0.0.0.0", "--port", PORT)  # noqa: S104  # a container's own network
        if not is_async and "gunicorn" in wanted:
            return ("gunicorn", "--bind", f"0.0.0.0:{PORT}", where)
    return ()


def program(project: Project) -> str:
    """The name of the program that a CMake or make project builds."""
    found = (*_cmake(project), *_make(project), *(_stem(path) for path in project.matching("*.cu")), "app")
    return next(name for name in found if _PLAIN.fullmatch(name))


def _cmake(project: Project) -> list[str]:
    names: list[str] = []
    for text in project.matching("CMakeLists.txt").values():
        owner = re.search(r"\bproject\s*\(\s*([\w.-]+)", text, re.IGNORECASE)
        built = re.findall(r"\badd_executable\s*\(\s*([\w.${}-]+)", text, re.IGNORECASE)
        names += [name.replace("${PROJECT_NAME}", owner[1] if owner else "") for name in built]
    return names


def _make(project: Project) -> list[str]:
    text = "\n".join(project.matching("Makefile", "makefile").values())
    named = re.findall(r"^(?:TARGET|BIN|PROGRAM|EXE)\s*[:?]?=\s*([\w./-]+)", text, re.MULTILINE)
    written = re.findall(r"\s-o\s+([\w./-]+)(?<!\.o)(?=\s|$)", text)
    return [name.rpartition("/")[2] for name in (*named, *written)]


def _stem(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[0]
