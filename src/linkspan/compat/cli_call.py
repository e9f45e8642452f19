"""One call of ``nvidia-container-cli``: its options, the host that it looks at, its log, and how it fails."""

import contextlib
import os
import platform
import time
from collections.abc import Iterator, Sequence
from typing import Self, TextIO

from linkspan._version import __version__
from linkspan.compat import FOLLOWED, goflags
from linkspan.compat.argp import Given, WrongUsage
from linkspan.compat.commands import Call as CtkCall
from linkspan.compat.ctk_system import CREATE_NODES
from linkspan.errors import ConfigError, LinkspanError
from linkspan.facts import snapshot
from linkspan.facts.host import LiveHost, Search
from linkspan.facts.model import HostFacts
from linkspan.formats import ldcache
from linkspan.plan.driver import require_driver
from linkspan.store import state

PROGRAM = "nvidia-container-cli"

_WHAT_TO_DO_ON_TEGRA = "start containers of this Tegra system by the runtime: --runtime=nvidia"


class StageError(LinkspanError):
    """An error as the program shows it: by the stage that it came up in, which scripts look for (contract 4.1)."""

    def __init__(self, name: str, message: str, hint: str = "") -> None:
        super().__init__(f"{name} error: {message}", hint=hint)


@contextlib.contextmanager
def stage(name: str, before: str = "") -> Iterator[None]:
    """Whatever goes wrong within goes wrong in this stage; ``before`` is what people know that error by."""
    try:
        yield
    except (StageError, WrongUsage):
        raise
    except LinkspanError as error:
        raise StageError(name, before + error.message, error.hint) from None
    except OSError as error:
        raise StageError(name, f"{before}{error.filename or 'the system'}: {error.strerror}") from None


class Call:
    """The options before (``above``) and behind the command, and its words. A context: the log is closed behind it."""

    def __init__(self, above: Given, given: Given, words: Sequence[str], folder: str) -> None:
        self._above = above
        self._given = given
        self._folder = folder
        self._log: TextIO | None = None
        self.words = words

    def __enter__(self) -> Self:
        if path := self._option("debug"):
            with stage("input"):
                self._log = open(path, "a", encoding="utf-8")  # as long as the call
        return self

    def __exit__(self, *_: object) -> None:
        if self._log:
            self._log.close()

    def log(self, line: str) -> None:
        """Write a line to the file that ``--debug`` names."""
        if self._log:
            self._log.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {line}\n")

    def has(self, name: str) -> bool:
        """Whether an option of the command was given."""
        return name in self._given

    def each(self, name: str) -> list[str]:
        """The values of an option of the command."""
        return self._given.get(name, [])

    def ids(self, name: str) -> tuple[str, ...]:
        """The ids that an option lists, however often it is given; empty ones are skipped (contract 4.3)."""
        return tuple(part for text in self.each(name) for one in text.split(",") if (part := one.strip()))

    def facts(self) -> HostFacts:
        """What the host has. Raises StageError where that is no driver that can be carried across."""
        search = self._search()
        if "load-kmods" in self._above:
            self._load_modules(search.root)
        facts = state.current_facts(self._folder, search) if self._may_keep(search) else snapshot.collect(search)
        for part in facts.missing:
            self.log(f"missing {part.part}: {part.reason}")
        if facts.platform == "tegra":
            raise StageError("initialization", "a Tegra system's driver has no GPUs to list", _WHAT_TO_DO_ON_TEGRA)
        if facts.platform != "wsl":
            require_driver(facts)
        return facts

    def _may_keep(self, search: Search) -> bool:
        return bool(self._folder) and not search.library_search_paths

    def _search(self) -> Search:
        root = os.path.abspath(self._option("root") or "/")
        cache = self._option("ldcache")
        return Search(root=root, library_search_paths=_folders(root, cache) if cache else ())

    def _option(self, name: str) -> str:
        return self._above.get(name, [""])[-1]

    def _load_modules(self, root: str) -> None:
        """Failures are for the log: what is missing then is said where it is needed (contract 4.5, step 2)."""
        argv = ["--load-kernel-modules", "--control-devices", f"--root={root}"]
        values, _ = goflags.parse(CREATE_NODES.flags, argv, {})
        try:
            if CREATE_NODES.run:
                CREATE_NODES.run(CtkCall(values, quiet=True))
        except LinkspanError as error:
            self.log(f"could not load the kernel modules: {error}")


def _folders(root: str, cache: str) -> tuple[str, ...]:
    """The folders that a loader cache of the driver root names, each once."""
    data = LiveHost(root).read(cache)
    if data is None:
        raise ConfigError(f"cannot read the loader cache {cache} below {root}", subject=cache)
    return tuple(dict.fromkeys(path.rpartition("/")[0] for _, path, *_ in ldcache.parse(data)))


def versions() -> list[str]:
    """What ``--version`` says, in the seven lines that scripts expect (contract 4.1)."""
    put_here = time.gmtime(os.stat(__file__).st_mtime)
    return [
        f"cli-version: {FOLLOWED}",
        f"lib-version: {FOLLOWED}",
        f"build date: {time.strftime('%Y-%m-%dT%H:%M+00:00', put_here)}",
        f"build revision: linkspan {__version__}",
        f"build compiler: {platform.python_implementation()} {platform.python_version()}",
        f"build platform: {platform.machine()}",
        "build flags:",
    ]
