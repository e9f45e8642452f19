"""A machine with GPUs: the real driver files, simulated device nodes, and linkspan in place."""

import contextlib
import dataclasses
import os
import stat
from collections.abc import Iterator

from tests.engines import images, machine, roots
from tests.engines.cgroups import Version
from tests.engines.machine import Machine
from tests.engines.roots import Release
from tests.folders import open_folder
from tests.toolkit import Toolkit

CONFIG = "/etc/nvidia-container-runtime/config.toml"
CONFIG_TEXT = """\
[nvidia-container-cli]
root = "{root}"
[nvidia-container-runtime]
runtimes = ["{low_level}"]
mode = "{mode}"
"""


@dataclasses.dataclass(frozen=True)
class GpuMachine:
    """A running machine, the release that it runs, and the toolkit on it."""

    release: Release
    machine: Machine
    toolkit: Toolkit

    @property
    def path(self) -> str:
        """What PATH is for its engines: linkspan's programs come first."""
        return f"{self.toolkit.place.prefix}/bin:{machine.PATH}"

    def configure(self, *, low_level: str = "runc", mode: str = "auto") -> None:
        """Write linkspan's config.toml of this machine."""
        self.machine.write(CONFIG, CONFIG_TEXT.format(root=self.toolkit.driver_root, low_level=low_level, mode=mode))

    def generate_cdi(self) -> None:
        """Write linkspan's CDI spec of this machine."""
        where = ("--driver-root", self.toolkit.driver_root, "--output", "/etc/cdi/nvidia.yaml")
        self.machine.need(machine.PYTHON, "-m", "linkspan", "cdi", "generate", *where, "--hook-path", self.toolkit.hook)


@contextlib.contextmanager
def boot(
    release: Release, driver_root: str, version: Version = "v1", init: machine.Init = "tini"
) -> Iterator[GpuMachine]:
    """Such a machine on a Debian release, with the driver at ``driver_root``."""
    lower, image = roots.root(release), os.path.dirname(images.cuda())
    with open_folder("toolkit") as folder:
        toolkit = Toolkit(folder, driver_root)
        with machine.boot(lower, folder, driver_root, image, version=version, init=init) as running:
            _make_nodes(running, driver_root)
            host = GpuMachine(release, running, toolkit)
            host.configure()
            yield host


def _make_nodes(running: Machine, driver_root: str) -> None:
    """The driver's nodes, in the machine's own /dev as well, as the kernel and udev would have it."""
    for folder, _, names in os.walk(f"{driver_root}/dev"):
        inside = running.file(folder.removeprefix(driver_root))
        os.makedirs(inside, exist_ok=True)
        for name in names:
            status = os.lstat(f"{folder}/{name}")
            if stat.S_ISCHR(status.st_mode) and not os.path.lexists(f"{inside}/{name}"):
                os.mknod(f"{inside}/{name}", status.st_mode, status.st_rdev)
                os.chmod(f"{inside}/{name}", stat.S_IMODE(status.st_mode))
