"""gVisor on a host: which runtimes are runsc, where it logs, and which sandboxes run with GPUs."""

import posixpath
import re
from collections.abc import Iterator

from linkspan.check.daemons import Engine
from linkspan.check.processes import Process
from linkspan.check.scene import Scene
from linkspan.facts.host import HostReader

_REFUSED = re.compile(r"unsupported Nvidia driver version: ([0-9.]+)", re.IGNORECASE)
_TAIL = 256 << 10
_MOST_LOGS = 200


def runtimes(engine: Engine) -> dict[str, list[str]]:
    """The engine's runtimes that are runsc, with their arguments."""
    found = {}
    for name, program in engine.view.runtimes.items():
        entry = (engine.tree.get("runtimes") or {}).get(name)
        words = entry.get("runtimeArgs") if isinstance(entry, dict) else []
        if posixpath.basename(program) == "runsc":
            found[name] = [str(word) for word in words or ()]
    return found


def refusals(scene: Scene, arguments: list[str]) -> Iterator[tuple[str, str]]:
    """Where nvproxy refused a driver, and which, by the debug log of these arguments."""
    folder = next((word.partition("=")[2] for word in arguments if word.lstrip("-").startswith("debug-log=")), "")
    if not folder.startswith("/"):
        return
    names = scene.eyes.names(folder) if folder.endswith("/") or scene.eyes.names(folder) else []
    for name in names[-_MOST_LOGS:]:
        path = posixpath.join(folder, name)
        version = scene.eyes.derive("nvproxy", path, _refused, "")
        if version:
            yield path, version


def _refused(host: HostReader, path: str) -> str:
    data = host.read(path, max(0, host.size(path) - _TAIL), _TAIL) or b""
    found = _REFUSED.search(data.decode("utf-8", "replace"))
    return found[1] if found else ""


def sandboxes(scene: Scene) -> list[Process]:
    """The running sandboxes that were started with nvproxy."""
    named = (one for one in scene.processes.all.values() if one.name in ("runsc-sandbox", "runsc"))
    return [one for one in named if any(word.startswith(("--nvproxy", "-nvproxy")) for word in one.argv)]
