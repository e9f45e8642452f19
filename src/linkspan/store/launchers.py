"""Puts the start path in place: a small tree of modules, and two launchers that depend on nothing else.

    PREFIX/lib/linkspan/    the modules that a container start needs, and their archive (``archive``)
    PREFIX/bin/linkspan-runtime, linkspan-hook

The launchers name their interpreter, their modules and the full program absolutely: neither the PATH of an engine nor
the environment of a container decides what runs as root. They are rebuilt from nothing by installing again.
"""

import os
import shlex
import sys

import msgspec

from linkspan._version import __version__
from linkspan.errors import HostError
from linkspan.formats import state
from linkspan.kernel import files, process, trees
from linkspan.store import archive

START_PATH = (
    "__init__",
    "errors",
    "formats/__init__",
    "formats/elf",
    "formats/fastjson",
    "formats/hookargs",
    "formats/ldcache",
    "formats/ldconf",
    "formats/oci",
    "formats/pathnames",
    "formats/state",
    "formats/versions",
    "kernel/__init__",
    "kernel/compat",
    "kernel/files",
    "kernel/ldconfig",
    "kernel/libraries",
    "kernel/loader",
    "kernel/mounts",
    "kernel/musl",
    "kernel/params",
    "kernel/paths",
    "kernel/prepare",
    "kernel/profile",
    "kernel/stamps",
    "kernel/walk",
    "kernel/writable",
    "runtime/__init__",
    "runtime/full_program",
    "runtime/hook",
    "runtime/lookup",
    "runtime/patch",
    "runtime/report",
    "runtime/rootfs",
    "runtime/wrapper",
)
"""Every module that the start path may import; a test compares the list with what it does import."""

RUNTIME_LAUNCHER = """\
#!/bin/sh
# linkspan-runtime {version}: the OCI runtime wrapper. Written by 'linkspan install', which replaces it.
# Engines call an OCI runtime for every verb. All but create go straight on to the low-level runtime from here,
# as long as {state}/low-level was written by us for this configuration file, as it is now, and for this PATH.
config=${{NVIDIA_CTK_CONFIG_FILE_PATH:-${{XDG_CONFIG_HOME:+$XDG_CONFIG_HOME/nvidia-container-runtime/config.toml}}}}
config=${{config:-/etc/nvidia-container-runtime/config.toml}}
marker={state}/low-level
create=
for word do
  case $word in
    create) create=yes ;;
    -version | --version) printf 'linkspan-runtime version %s\\nspec: 1.3.0\\n\\n' {version} ;;
  esac
done
if [ -z "$create" ] && [ -O "$marker" ]; then
  {{ IFS= read -r for_config; IFS= read -r for_path; IFS= read -r was; IFS= read -r low_level; }} <"$marker"
  if [ -e "$config" ]; then is=present; else is=absent; fi
  if [ "$for_config" = "$config" ] && [ "$for_path" = "$PATH" ] && [ "$was" = "$is" ] && [ -x "$low_level" ] &&
    ! [ "$config" -nt "$marker" ] && ! {{ [ $is = present ] && [ "$marker" -nt "$config" ]; }}; then
    exec "$low_level" "$@"
  fi
fi
exec {python} -IS -c {code} "$@"
"""

HOOK_LAUNCHER = """\
#!/bin/sh
# linkspan-hook {version}: the createContainer hook of linkspan's CDI specs. Written by 'linkspan install'.
exec {python} -IS -c {code} "$@"
"""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where the start path goes and what it is tied to."""

    prefix: str = "/usr/local"
    state: str = state.FOLDER

    @property
    def library(self) -> str:
        """The folder of the modules."""
        return f"{self.prefix}/lib/linkspan"

    @property
    def runtime(self) -> str:
        """The runtime wrapper's launcher."""
        return f"{self.prefix}/bin/linkspan-runtime"

    @property
    def hook(self) -> str:
        """The hook's launcher."""
        return f"{self.prefix}/bin/linkspan-hook"


def install(place: Place) -> tuple[str, ...]:
    """Put the start path in place, replacing an earlier one; the paths of the two launchers.

    Raises KernelError where the prefix cannot be written.
    """
    source = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for module in START_PATH:
        with open(f"{source}/{module}.py", "rb") as file:
            data = file.read()
        target = f"{place.library}/linkspan/{module}.py"
        trees.make_folders(os.path.dirname(target))
        files.write_whole(target, data)
    python = interpreter()
    # Without column numbers for tracebacks that nobody prints, the archive is a tenth smaller.
    pack = [python, "-I", "-X", "no_debug_ranges", os.path.abspath(archive.__file__)]
    process.run([*pack, place.library], env={}, timeout_s=60)
    trees.make_folders(f"{place.prefix}/bin")
    files.write_whole(place.runtime, runtime_launcher(place, python).encode(), 0o755)
    files.write_whole(place.hook, hook_launcher(place, python).encode(), 0o755)
    return place.runtime, place.hook


def remove(place: Place) -> tuple[str, ...]:
    """Take away what ``install`` put in place; the paths that were there."""
    removed = [path for path in (place.runtime, place.hook) if trees.remove_file(path)]
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


def runtime_launcher(place: Place, python: str) -> str:
    """The text of the runtime wrapper's launcher."""
    full_program = [sys.executable, "-I", "-m", "linkspan.store.render"]
    code = f"main(Setup({place.state!r}, {place.hook!r}, {full_program!r}), sys.argv[1:])"
    return RUNTIME_LAUNCHER.format(
        version=__version__,
        state=shlex.quote(place.state),
        python=shlex.quote(python),
        code=_program(place, "from linkspan.runtime.wrapper import Setup, main", code),
    )


def hook_launcher(place: Place, python: str) -> str:
    """The text of the hook's launcher."""
    code = _program(place, "from linkspan.runtime.hook import main", "main(sys.argv[1:])")
    return HOOK_LAUNCHER.format(version=__version__, python=shlex.quote(python), code=code)


def _program(place: Place, imports: str, call: str) -> str:
    return shlex.quote(f"{archive.OPENING.format(folder=place.library)}{imports}\n{call}")
