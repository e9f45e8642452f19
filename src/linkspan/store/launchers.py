"""Puts the start path in place: a small tree of modules, and launchers that depend on nothing else.

    PREFIX/lib/linkspan/    the modules that a container start needs, their archive (``archive``), and what to start
    PREFIX/bin/linkspan-runtime, linkspan-hook, linkspan-prestart-hook, linkspan-cdi-hook
    PREFIX/bin/linkspan-ctk, linkspan-container-cli, which start the whole package
    PREFIX/bin/nvidia-…     links to these, by the names that engines look for (``names``)

The launchers, all the same small native program, name their interpreter, their modules and the full program
absolutely: neither the PATH of an engine nor the environment of a container decides what runs as root. They are rebuilt
from nothing by installing again.
"""

import os
import sys
from collections.abc import Sequence

import msgspec

from linkspan._version import __version__
from linkspan.errors import HostError
from linkspan.formats import record, state
from linkspan.kernel import files, process, trees
from linkspan.store import archive, names

START_PATH = (
    "__init__",
    "_version",
    "errors",
    "formats/__init__",
    "formats/cgroups",
    "formats/elf",
    "formats/fastjson",
    "formats/goflags",
    "formats/hookargs",
    "formats/ldcache",
    "formats/ldconf",
    "formats/oci",
    "formats/pathnames",
    "formats/record",
    "formats/scopes",
    "formats/state",
    "formats/versions",
    "kernel/__init__",
    "kernel/bpf",
    "kernel/carry",
    "kernel/cgroup",
    "kernel/compat",
    "kernel/files",
    "kernel/folders",
    "kernel/identity",
    "kernel/ldconfig",
    "kernel/libraries",
    "kernel/loader",
    "kernel/mountid",
    "kernel/mounts",
    "kernel/musl",
    "kernel/notes",
    "kernel/params",
    "kernel/paths",
    "kernel/prepare",
    "kernel/procgpus",
    "kernel/profile",
    "kernel/scope",
    "kernel/single_steps",
    "kernel/stamps",
    "kernel/standing",
    "kernel/walk",
    "kernel/writable",
    "runtime/__init__",
    "runtime/carrier",
    "runtime/cdi_hook",
    "runtime/container",
    "runtime/created",
    "runtime/ending",
    "runtime/full_program",
    "runtime/given",
    "runtime/hook",
    "runtime/keep",
    "runtime/lookup",
    "runtime/patch",
    "runtime/prestart",
    "runtime/report",
    "runtime/rootfs",
    "runtime/wrapper",
)
"""Every module that the start path may import; a test compares the list with what it does import."""

LAUNCHER = "runtime/native/launcher"
"""The program that all launchers are, compiled with the package; its source says what it reads and does."""


def home() -> str:
    """The folder that this package is in."""
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def program_in(home: str, python: Sequence[str], module: str, *further: str) -> tuple[str, ...]:
    """How a module's ``main`` is run, for a package in ``home`` and an isolated interpreter, which looks nowhere.

    It is given the command line's arguments, then these.
    """
    call = ", ".join(["sys.argv[1:]", *map(repr, further)])
    code = f"import sys; sys.path.append({home!r}); from {module} import main; sys.exit(main({call}))"
    return *python, "-c", code


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where the start path goes and what it is tied to: the whole package in ``home``, and a ``python`` for it."""

    prefix: str = "/usr/local"
    state: str = state.FOLDER
    home: str = msgspec.field(default_factory=home)
    python: tuple[str, ...] = msgspec.field(default_factory=process.own_python)

    @property
    def full_program(self) -> tuple[str, ...]:
        """How the start path starts the full program."""
        return program_in(self.home, self.python, "linkspan.store.render")

    @property
    def library(self) -> str:
        """The folder of the modules."""
        return f"{self.prefix}/lib/linkspan"

    @property
    def programs(self) -> str:
        """The folder of the programs."""
        return f"{self.prefix}/bin"

    @property
    def runtime(self) -> str:
        """The runtime wrapper's launcher."""
        return f"{self.programs}/linkspan-runtime"

    @property
    def hook(self) -> str:
        """The hook's launcher."""
        return f"{self.programs}/linkspan-hook"

    @property
    def prestart(self) -> str:
        """The prestart hook's launcher."""
        return f"{self.programs}/linkspan-prestart-hook"

    @property
    def cdi_hook(self) -> str:
        """The launcher of the hook that specs of NVIDIA's toolkit name."""
        return f"{self.programs}/linkspan-cdi-hook"

    @property
    def ctk(self) -> str:
        """The launcher of what answers to nvidia-ctk."""
        return f"{self.programs}/linkspan-ctk"

    @property
    def container_cli(self) -> str:
        """The launcher of what answers to nvidia-container-cli."""
        return f"{self.programs}/linkspan-container-cli"

    @property
    def launchers(self) -> tuple[str, ...]:
        """All of them."""
        return self.runtime, self.hook, self.prestart, self.cdi_hook, self.ctk, self.container_cli


def install(place: Place, *, compat: bool = True, replace: bool = False) -> tuple[str, ...]:
    """Put the start path in place, replacing an earlier one; the paths of its programs.

    With ``compat`` they answer to the names that engines know, too; ``replace`` sets other programs aside that have
    one. Raises KernelError where the prefix cannot be written, ConfigError where such a name is taken.
    """
    trees.make_folders(place.programs)
    links = names.put(place.programs, replace=replace) if compat else ()
    source = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    put_modules(source, place.library)
    python = interpreter()
    # Without column numbers for tracebacks that nobody prints, the archive is a tenth smaller.
    pack = [python, "-I", "-X", "no_debug_ranges", os.path.abspath(archive.__file__)]
    process.run([*pack, place.library], env={}, timeout_s=60)
    launch(place, python, f"{source}/{LAUNCHER}")
    for kind in (record.READY, record.CARRY, record.IMAGES):
        trees.remove_tree(f"{place.state}/{kind}")  # of another installation, which may have done it differently
    return (*place.launchers, *links)


def put_modules(source: str, library: str) -> None:
    """Copy the modules of the start path from a folder that has the whole package."""
    for module in START_PATH:
        with open(f"{source}/{module}.py", "rb") as file:
            data = file.read()
        target = f"{library}/linkspan/{module}.py"
        trees.make_folders(os.path.dirname(target))
        files.write_whole(target, data)


def launch(place: Place, python: str, program: str, *, below: str = "") -> None:
    """Put the launchers in place, each a copy of the compiled program beside what it is to start.

    ``below`` is for packages: the folder in which their files are gathered.
    """
    for path, (role, code) in _starts(place).items():
        start = (python, code, role, __version__, place.state, place.hook)
        files.write_whole(
            f"{below}{place.library}/{os.path.basename(path)}.start",
            b"".join(os.fsencode(one) + b"\0" for one in start),
        )
        with open(program, "rb") as file:
            files.write_whole(f"{below}{path}", file.read(), 0o755)


def remove(place: Place) -> tuple[str, ...]:
    """Take away what ``install`` put in place; the paths that were there."""
    removed = [*names.take_away(place.programs), *(path for path in place.launchers if trees.remove_file(path))]
    return (*removed, *([place.library] if trees.remove_tree(place.library) else []))


def interpreter() -> str:
    """The Python for the start path: the system's own, which no user's environment can change, else this one's base."""
    base = f"{sys.base_prefix}/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in ("/usr/bin/python3", base):
        real = os.path.realpath(candidate)
        if os.access(real, os.X_OK) and _is_new_enough(real):
            return real
    raise HostError("no Python 3.11 or newer was found for the start path", hint="install python3")


def _is_new_enough(python: str) -> bool:
    probe = process.run([python, "-IS", "-c", "import sys; print(sys.version_info >= (3, 11))"], env={}, timeout_s=20)
    return probe.stdout.strip() == "True"


def _starts(place: Place) -> dict[str, tuple[str, str]]:
    """Each launcher: its role (``runtime/native/launcher.c``), and what its interpreter runs."""
    setup = f"Setup({place.state!r}, {place.hook!r}, {list(place.full_program)!r})"
    cdi_hook = _own(place, "cdi_hook import main", repr(__version__))
    return {
        place.runtime: ("runtime", _own(place, "wrapper import Setup, main", setup)),
        place.hook: ("hook", _own(place, "hook import main", repr(place.state))),
        place.prestart: ("prestart", _own(place, "prestart import Setup, main", f"{setup}, {__version__!r}")),
        place.cdi_hook: ("other", cdi_hook),
        # 'nvidia-ctk hook' stands in older CDI specs, so a container waits for it.
        place.ctk: ("other", f"{_whole(place, 'linkspan.compat.ctk', but='hook')}del sys.argv[1]\n{cdi_hook}"),
        place.container_cli: ("other", _whole(place, "linkspan.compat.container_cli", place.state)),
    }


def _own(place: Place, imports: str, arguments: str) -> str:
    """Code of the start path."""
    code = f"from linkspan.runtime.{imports}\nmain({arguments}, sys.argv[1:])"
    return archive.OPENING.format(folder=place.library) + code


def _whole(place: Place, module: str, *further: str, but: str = "") -> str:
    """Code that goes on as a program of the whole package; ``but`` not where the first argument is this one."""
    program = list(program_in(place.home, place.python, module, *further))
    condition = f"if sys.argv[1:2] != [{but!r}]: " if but else ""
    return f"import os, sys\n{condition}os.execv({program[0]!r}, [*{program!r}, *sys.argv[1:]])\n"
