"""Compiles the native files while the package is built, so that running it needs no compiler.

The start path's launcher is a static program. The simulated driver's files have to load in any container, so nothing
ties them to this machine's C library: symbols stay unversioned (the libraries are linked against nothing, the programs
against empty stand-ins for libc and libdl) and are found at run time in whatever glibc, or for the libraries musl, the
process has.
"""

import os
import shlex
import subprocess
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NATIVE = "src/linkspan/sim/native"
LAUNCHER = "src/linkspan/runtime/native"
# -U_FORTIFY_SOURCE: its __*_chk functions are glibc's alone.
CFLAGS = [
    "-std=gnu11",
    "-O2",
    "-Wall",
    "-Wextra",
    "-fPIC",
    "-fvisibility=hidden",
    "-fno-stack-protector",
    "-U_FORTIFY_SOURCE",
]
LINK = ["-nostdlib", "-Wl,--build-id=none", "-Wl,-z,relro", "-Wl,-z,noexecstack", "-s"]
LIBRARIES = {
    "libnvidia-ml.so": ("libnvidia-ml.so.1", ["host.c", "nvml.c", "nvml_device.c", "nvml_internal.c"]),
    "libcuda.so": ("libcuda.so.1", ["host.c", "cuda.c"]),
}
PROGRAMS = {"nvidia-smi": ["start.c", "smi.c"], "probe": ["start.c", "probe.c"]}
# What the programs call, by the library that has it before glibc 2.34 put dlopen into libc.
STAND_INS = {
    "libdl.so.2": ["dladdr", "dlerror", "dlopen", "dlsym"],
    "libc.so.6": [
        *["__errno_location", "__libc_start_main", "execvp", "fflush", "printf", "puts", "putchar", "realpath"],
        *["memcmp", "memcpy", "snprintf", "strchr", "strcmp", "strcpy", "strcspn", "strlen", "strncmp", "strstr"],
        "syscall",
    ],
}


def compile_native(folder: Path) -> list[Path]:
    """Compile the native files beside their sources in ``folder``; returns what was made."""
    for name, (soname, sources) in LIBRARIES.items():
        _cc(folder, "-shared", f"-Wl,-soname,{soname}", "-o", name, *sources)
    with tempfile.TemporaryDirectory() as scratch:
        stand_ins = [_stand_in(Path(scratch), soname, symbols) for soname, symbols in STAND_INS.items()]
        for program, sources in PROGRAMS.items():
            _cc(folder, "-pie", "-Wl,--no-as-needed", "-o", program, *sources, *stand_ins)
    return [folder / name for name in (*LIBRARIES, *PROGRAMS)]


def compile_launcher(folder: Path) -> Path:
    """Compile the launcher: static, because that starts a third of a millisecond sooner and ties it to no C library."""
    sources = sorted(path.name for path in folder.glob("*.c"))
    arguments = ["-std=c11", "-O2", "-Wall", "-Wextra", "-fstack-protector-strong", "-s", "-o", "launcher", *sources]
    try:
        _run_cc(folder, "-static", *arguments)
    except SystemExit:
        _run_cc(folder, *arguments)  # some distributions pack the static C library apart
    return folder / "launcher"


def _stand_in(folder: Path, soname: str, symbols: list[str]) -> str:
    """A library to link against that has these names and no versions."""
    source = folder / f"{soname}.c"
    source.write_text("".join(f"void {symbol}(void) {{}}\n" for symbol in symbols))
    _cc(
        folder,
        "-shared",
        "-w",
        "-fno-builtin",
        "-fvisibility=default",
        f"-Wl,-soname,{soname}",
        "-o",
        soname,
        source.name,
    )
    return str(folder / soname)


def _cc(folder: Path, *arguments: str) -> None:
    _run_cc(folder, *CFLAGS, *LINK, *arguments)


def _run_cc(folder: Path, *arguments: str) -> None:
    compiler = shlex.split(os.environ.get("CC", "cc"))
    try:
        subprocess.run([*compiler, *arguments], cwd=folder, check=True)
    except FileNotFoundError:
        cause = f"no C compiler ({compiler[0]}): install gcc, or name one in CC, to build the native files"
        raise SystemExit(cause) from None
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"{compiler[0]} failed on {folder.name} files, exit code {error.returncode}") from None


class NativeBuildHook(BuildHookInterface[Any]):
    """Puts the compiled files into the wheel, and the platform into its tag."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile; in an editable installation the files are used where they are."""
        made = [*compile_native(Path(self.root, NATIVE)), compile_launcher(Path(self.root, LAUNCHER))]
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"
        build_data["artifacts"] += [f"/{path.relative_to(self.root)}" for path in made]
