"""Where the demo plays: a host with GPUs, real or simulated, and everything else in memory, gone afterwards."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator

import msgspec

from linkspan.demo.container import PATH, Runtime
from linkspan.demo.scenes import HostGpu
from linkspan.errors import HostError, KernelError
from linkspan.facts import snapshot
from linkspan.facts.model import HostFacts
from linkspan.formats.toolkit_config import ENVIRONMENT, ToolkitConfig
from linkspan.kernel import namespace
from linkspan.kernel.signals import held_back
from linkspan.sim import create as sim
from linkspan.sim.spec import SimSpec
from linkspan.store import launchers, state

SIMULATED = SimSpec(gpus=4, model="H100", driver="550.163.01")


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """The folder for containers, the host they start on, and the runtime that starts them."""

    folder: str
    facts: HostFacts
    simulated: bool
    runtime: Runtime
    low_level: str

    def gpus(self) -> tuple[HostGpu, ...]:
        """The GPUs that have a device node and are not cut into MIG devices: those that a plain index names."""
        nodes = {gpu.index: self.facts.device(gpu.path) for gpu in self.facts.gpus}
        return tuple(
            HostGpu(index=gpu.index, uuid=gpu.uuid, node=node.path, major=node.major, minor=node.minor)
            for gpu in self.facts.gpus
            if (node := nodes[gpu.index]) and not gpu.mig_enabled
        )


@contextlib.contextmanager
def stage(driver_root: str = "/", *, simulate: bool = False) -> Iterator[Stage]:
    """Set everything up; take everything down at the end, whatever that is.

    HostError where this machine cannot start containers, or cannot have a simulated host.
    """
    if os.geteuid():
        raise HostError("the demo starts real containers, which takes root", hint="run it with sudo")
    search_path = os.environ.get("PATH", PATH.partition("=")[2])
    low_level = state.find_low_level(ToolkitConfig().nvidia_container_runtime.runtimes, search_path)
    with _memory_folder() as folder:
        facts = snapshot.collect(snapshot.Search(root=driver_root))
        simulated = simulate or not any(gpu.path and not gpu.mig_enabled for gpu in facts.gpus)
        if simulated:
            sim.create(f"{folder}/host", SIMULATED)
            facts = snapshot.collect(snapshot.Search(root=f"{folder}/host"))
        os.mkdir(f"{folder}/containers")
        yield Stage(
            folder=f"{folder}/containers",
            facts=facts,
            simulated=simulated,
            runtime=_install(folder, facts.root, search_path),
            low_level=low_level,
        )


@contextlib.contextmanager
def _memory_folder() -> Iterator[str]:
    """A folder in memory that only this process and its children see, so that not even SIGKILL leaves it behind."""
    try:
        namespace.leave_mounts()
    except KernelError as error:
        hint = "run it as root; inside a container, in a privileged one"
        raise HostError(f"no permission to start containers: {error.message}", hint=hint) from None
    folder = tempfile.mkdtemp(prefix=f"linkspan-demo-{os.getpid()}-")
    try:
        namespace.mount_tmpfs(folder)
        yield folder
    finally:
        with held_back():
            if os.path.ismount(folder):
                namespace.unmount(folder)
            shutil.rmtree(folder)


def _install(folder: str, driver_root: str, search_path: str) -> Runtime:
    """linkspan-runtime, in place and configured as on any host, but below the demo's folder."""
    config = f"{folder}/config.toml"
    with open(config, "w", encoding="utf-8") as file:
        file.write(f"[nvidia-container-cli]\nroot = {_quoted(driver_root)}\n")
    program, *_ = launchers.install(launchers.Place(prefix=f"{folder}/linkspan", state=f"{folder}/state"), compat=False)
    return Runtime(program=program, state=f"{folder}/runc", env={"PATH": search_path, ENVIRONMENT: config})


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
