"""The description of the host inside the simulated libraries: the layout of ``struct sim_host`` in native/host.h."""

import struct
from collections.abc import Iterable

from linkspan.errors import HostError
from linkspan.sim import models
from linkspan.sim.spec import CAPS_MAJOR, MAX_GPUS, UVM_MAJOR, SimGpu, SimMig

MAGIC = b"linkspan simulated GPU host v1"
MAX_MIG = 7
MEBIBYTES_USED = 4  # what an idle GPU shows as used, so that a table does not look empty

_HOST = struct.Struct("<32s 7I 32s 1024s")
_GPU = struct.Struct("<48s 96s 17I")
_MIG = struct.Struct("<48s 32s 7I")
SIZE = _HOST.size + MAX_GPUS * (_GPU.size + MAX_MIG * _MIG.size)


def embed(library: bytes, record: bytes) -> bytes:
    """The library with the record in place of the one it has; HostError where it does not fit this version."""
    at = library.find(MAGIC)
    size = int.from_bytes(library[at + 32 : at + 36], "little")
    if at < 0 or size != SIZE or library.find(MAGIC, at + 1) >= 0:
        raise HostError("the simulated driver was built from other sources", hint="install linkspan again")
    return library[:at] + record + library[at + SIZE :]


def pack(
    gpus: Iterable[SimGpu],
    *,
    driver: str,
    root: str,
    wsl: bool = False,
    mismatched: bool = False,
    lost: frozenset[int] = frozenset(),
) -> bytes:
    """The record of a host; ``lost`` are the indices of GPUs that fell off the bus."""
    rows = [_pack_gpu(gpu, gpu.index in lost) for gpu in gpus]
    counts = (SIZE, len(rows), models.cuda_version(driver), UVM_MAJOR, CAPS_MAJOR, mismatched, wsl)
    folder = root.encode(errors="surrogateescape")
    if len(folder) >= 1024:
        raise HostError("the path of the simulated host is longer than 1023 bytes", subject=root)
    return (_HOST.pack(MAGIC, *counts, driver.encode(), folder) + b"".join(rows)).ljust(SIZE, b"\0")


def _pack_gpu(gpu: SimGpu, lost: bool) -> bytes:
    model = gpu.model
    head = _GPU.pack(
        *(gpu.uuid.encode(), model.name.encode(), gpu.minor, gpu.domain, gpu.bus),
        *(model.pci_device, model.pci_subsystem, model.memory_mib, MEBIBYTES_USED),
        *(*model.compute_capability, model.architecture, model.brand, model.multiprocessors, model.power_w),
        *(bool(model.profiles), bool(gpu.mig), len(gpu.mig), lost),
    )
    return head + b"".join(_pack_mig(mig) for mig in gpu.mig).ljust(MAX_MIG * _MIG.size, b"\0")


def _pack_mig(mig: SimMig) -> bytes:
    numbers = (mig.gi, mig.ci, mig.gi_cap, mig.ci_cap)
    figures = (mig.profile.memory_mib, mig.profile.multiprocessors, mig.profile.slices)
    return _MIG.pack(mig.uuid.encode(), mig.profile.name.encode(), *numbers, *figures)
