"""The command line: formats, order and selection of ``info`` and ``list``, and how errors begin (contract 4)."""

import re
from collections.abc import Callable

from tests.contract.case import Answer, Case
from tests.contract.programs import Programs

UUID = "GPU-01000100-0000-0000-0000-00000000000{}"
CONTROL = "nvidiactl nvidia-uvm nvidia-uvm-tools nvidia-modeset"


def _asked(name: str, argv: tuple[str, ...], expected: str, read: Callable[[str], str]) -> Case:
    """A call whose output is read, or whose refusal is told by its stage."""

    def act(programs: Programs) -> Answer:
        done = programs.cli(*argv)
        return Answer(_stage(done.stderr) if done.returncode else read(done.stdout), done.stderr.strip())

    return Case("cli", name, expected, act)


def _stage(errors: str) -> str:
    """``device error`` of ``nvidia-container-cli: device error: 9: unknown device``."""
    found = re.match(r"[\w.-]+: ([a-z-]+ error): ", errors)
    return found[1] if found else "wrong usage"


def _labels(output: str) -> str:
    """What stands before the colons; an empty line is a bar."""
    return ", ".join(line.partition(":")[0] or "|" for line in output.splitlines())


def _nodes(output: str) -> str:
    return " ".join(line.removeprefix("/dev/") for line in output.splitlines())


def _columns(output: str) -> str:
    return " / ".join(str(line.count(",") + 1) for line in output.splitlines() if line)


def _first_gpu(output: str) -> str:
    return output.split("\n\n")[1].replace("\n", "; ")


def _kinds(output: str) -> str:
    """Which kinds of paths follow each other."""
    kinds = {"/dev/": "devices", "/usr/bin/": "programs", "/lib/firmware/": "firmware"}
    found = [
        next((kind for start, kind in kinds.items() if line.startswith(start)), "libraries") for line in output.split()
    ]
    return ", ".join(kind for number, kind in enumerate(found) if not number or kind != found[number - 1])


def _version(output: str) -> str:
    return ", ".join(line.partition(":")[0] for line in output.splitlines())


_FIRST = (
    "Device Index:   0; Device Minor:   0; Model:          NVIDIA H100 80GB HBM3; Brand:          Nvidia; "
    f"GPU UUID:       {UUID.format(0)}; Bus Location:   00000000:1a:00.0; Architecture:   9.0"
)
_VERSION = "cli-version, lib-version, build date, build revision, build compiler, build platform, build flags"
_EIGHT = " ".join(f"nvidia{number}" for number in range(8))
_GPU = "Device Index, Device Minor, Model, Brand, GPU UUID, Bus Location, Architecture"

CASES = (
    _asked("the seven lines of a version", ("--version",), _VERSION, _version),
    _asked("info", ("info",), ", ".join(["NVRM version, CUDA version", *[f"|, {_GPU}"] * 8]), _labels),
    _asked("info of the first GPU", ("info",), _FIRST, _first_gpu),
    _asked("info as CSV", ("info", "--csv"), " / ".join(["2", "2", *["7"] * 9]), _columns),
    _asked("list, all of it in order", ("list",), "devices, programs, libraries, firmware", _kinds),
    _asked("list of all devices", ("list", "--device=all"), f"{CONTROL} {_EIGHT}", _nodes),
    _asked("list by index", ("list", "-d", "2,0"), f"{CONTROL} nvidia2 nvidia0", _nodes),
    _asked("list, an option given twice", ("list", "-d2", "--device", "0"), f"{CONTROL} nvidia2 nvidia0", _nodes),
    _asked("list, an id given twice", ("list", "-d", "1,1"), f"{CONTROL} nvidia1", _nodes),
    _asked("list, empty ids among others", ("list", "-d", ",1,,"), f"{CONTROL} nvidia1", _nodes),
    _asked("list by UUID in upper case", ("list", "-d", UUID.format(3).upper()), f"{CONTROL} nvidia3", _nodes),
    _asked("list by bus id", ("list", "-d", "0:1b:0.0"), f"{CONTROL} nvidia1", _nodes),
    _asked("list by a name cut short", ("list", "--dev=4"), f"{CONTROL} nvidia4", _nodes),
    _asked("list, letters together", ("list", "-bf"), "programs, firmware", _kinds),
    _asked("an index that there is not", ("list", "-d", "77"), "device error", _nodes),
    _asked("a UUID that there is not", ("list", "-d", "GPU-1"), "device error", _nodes),
    _asked("MIG as a whole, for one GPU", ("list", "-d", "0", "--mig-config=0"), "mig-config error", _nodes),
    _asked(
        "a driver that is too old",
        ("configure", "-d0", "--require=cuda>=99.0", "/nonexistent"),
        "requirement error",
        _nodes,
    ),
    _asked(
        "a requirement that cannot be read",
        ("configure", "-d0", "-r", "cuda", "/nonexistent"),
        "requirement error",
        _nodes,
    ),
    _asked("the root of the host", ("configure", "-d0", "/"), "input error", _nodes),
    _asked("a root that is not absolute", ("configure", "-d0", "rootfs"), "input error", _nodes),
    _asked(
        "two ways of compatibility",
        ("configure", "--cuda-compat-mode=mount", "--cuda-compat-mode=ldconfig", "/x"),
        "input error",
        _nodes,
    ),
    _asked("an option that there is not", ("list", "--nonsense"), "wrong usage", _nodes),
    _asked("a command that there is not", ("nonsense",), "wrong usage", _nodes),
)
