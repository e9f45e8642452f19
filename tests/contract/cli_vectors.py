"""How ``nvidia-container-cli`` is called, and what it has to print or refuse."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Vector:
    """Arguments, and ``wanted``: a view of the output (``cli``), or the stage of the error where ``exit`` is 1."""

    arguments: tuple[str, ...]
    wanted: str
    exit: int = 0
    view: str = "all"
    better: str | None = None
    why: str = ""

    @property
    def name(self) -> str:
        """What is typed."""
        return f"{' '.join(self.arguments) or 'no command'}{'' if self.view == 'all' else f' ({self.view})'}"


def _uuid(index: int) -> str:
    return f"GPU-01000100-0000-0000-0000-{index:012x}"


_TEXT = (
    "NVRM version:   550.163.01",
    "CUDA version:   12.4",
    "",
    "Device Index:   0",
    "Device Minor:   0",
    "Model:          NVIDIA H100 80GB HBM3",
    "Brand:          Nvidia",
    f"GPU UUID:       {_uuid(0)}",
    "Bus Location:   00000000:1a:00.0",
    "Architecture:   9.0",
)
_CSV = (
    "NVRM version,CUDA version",
    "550.163.01,12.4",
    "",
    "Device Index,Device Minor,Model,Brand,GPU UUID,Bus Location,Architecture",
    f"0,0,NVIDIA H100 80GB HBM3,Nvidia,{_uuid(0)},00000000:1a:00.0,9.0",
)

INFO = (
    Vector(
        ("-V",),
        "cli-version, lib-version, build date, build revision, build compiler, build platform, build flags",
        view="names",
    ),
    Vector(("info",), " | ".join(_TEXT), view="first ten lines"),
    Vector(("info",), f"{2 + 8 * 8} lines", view="count"),
    Vector(("info", "--csv"), " | ".join(_CSV), view="first five lines"),
    Vector(("info", "--csv"), f"{4 + 8} lines", view="count"),
)

CONTROL = ("/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidia-modeset")


def _nodes(*indices: int) -> str:
    return " | ".join((*CONTROL, *(f"/dev/nvidia{index}" for index in indices)))


LIST = (
    Vector(("list",), "nodes, programs, libraries, services, firmware", view="kinds"),
    Vector(
        ("list", "--firmwares", "--ipcs", "-l", "-b", "-d0"),
        "nodes, programs, libraries, services, firmware",
        view="kinds",
    ),
    Vector(("list", "-l"), "libraries", view="kinds"),
    Vector(("list", "--libraries"), "libcuda libnvidia-ml libnvidia-encode libGLX_nvidia", view="libraries"),
    Vector(
        ("list", "-b"),
        "nvidia-cuda-mps-control nvidia-cuda-mps-server nvidia-debugdump nvidia-persistenced nvidia-smi",
        view="programs",
    ),
    Vector(("list", "--ipcs"), "/run/nvidia-persistenced/socket", view="sockets"),
    Vector(("list", "-i", "--no-persistenced"), "nothing", view="sockets"),
    Vector(("list", "-f"), "firmware", view="kinds"),
    Vector(("list", "-bf"), "programs, firmware", view="kinds"),
    Vector(("list", "--firm"), "firmware", view="kinds"),
    Vector(("list", "-f", "--no-gsp-firmware"), "nothing"),
    Vector(("list", "--compat32"), "nothing"),
    Vector(("list", "--strange"), "usage", 1),
    Vector(("list", "too", "much"), "usage", 1),
    Vector((), "usage", 1),
    Vector(("strange",), "usage", 1),
)

SELECTION = (
    Vector(("list", "-d", "all"), _nodes(*range(8))),
    Vector(("list", "-dALL,77"), _nodes(*range(8))),
    Vector(("list", "--device=0,2"), _nodes(0, 2)),
    Vector(("list", "-d", "0", "-d", "2"), _nodes(0, 2)),
    Vector(("list", "-d,2,,2"), _nodes(2)),
    Vector(("list", "-d", ""), _nodes()),
    Vector(("list", "-d", _uuid(3)), _nodes(3)),
    Vector(("list", "-d", _uuid(3).lower()), _nodes(3)),
    Vector(("list", "-d", "0:1b:0.0"), _nodes(1)),
    Vector(("list", "-d", "00000000:1B:00.0"), _nodes(1)),
    Vector(("list", "-d", "77"), "device error: 77: unknown device", 1),
    Vector(("list", "-d", "0,GPU-77"), "device error: GPU-77: unknown device", 1),
    Vector(("list", "-d", "0:0"), "device error: 0:0: unknown device", 1),
    Vector(("list", "-d", "MIG-77"), "device error: MIG-77: unknown device", 1),
    Vector(("list", "--mig-config", "0"), "mig-config error", 1),
    Vector(("list", "--mig-monitor", "0"), "mig-monitor error", 1),
)

REFUSED = (
    Vector(("configure", "/"), "input error", 1),
    Vector(("configure", "relative"), "input error", 1),
    Vector(("configure",), "usage", 1),
    Vector(("configure", "--pid=nobody", "/srv"), "input error", 1),
    Vector(("configure", "--cuda-compat-mode=strange", "/srv"), "input error", 1),
    Vector(("configure", "--cuda-compat-mode=mount", "--cuda-compat-mode=ldconfig", "/srv"), "input error", 1),
    Vector(("configure", "-d0", "--require=cuda>=99.0", "/nonexistent"), "requirement error", 1),
    Vector(("configure", "-d0", "-r", "cuda", "/nonexistent"), "requirement error", 1),
)

VECTORS = (*INFO, *LIST, *SELECTION, *REFUSED)
