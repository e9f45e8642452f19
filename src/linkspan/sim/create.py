"""Simulated GPU hosts: made, hurt and removed."""

import os
from importlib import resources

import msgspec

from linkspan.errors import HostError
from linkspan.formats import procfs
from linkspan.kernel import trees
from linkspan.sim import driver_side, engine_side, faults, kernel_side, overlay, record, spec_side, tegra, wsl
from linkspan.sim.driver_side import Native
from linkspan.sim.layouts import layout
from linkspan.sim.machine import Machine
from linkspan.sim.spec import SimSpec, gpus
from linkspan.sim.tree import File, Tree, inside, write

MARKER = "/.linkspan-sim.json"
"""Tells a simulated host from any other folder; the simulated libraries look for it, too (native/host.h)."""


class SimHost(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A simulated host that stands at ``root``.

    ``onto`` says that it was laid over other people's files: ``made`` are then the paths that are ours, ``saved`` those
    of theirs that were replaced.
    """

    root: str
    spec: SimSpec
    onto: bool = False
    made: tuple[str, ...] = ()
    saved: tuple[str, ...] = ()

    def paths(self) -> tuple[str, ...]:
        """What stands below the root because of us, but for folders."""
        return (*_tree(self), MARKER)


def create(root: str, spec: SimSpec, *, onto: bool = False) -> SimHost:
    """Make a simulated host at ``root``, which every command then takes as ``--driver-root``.

    With ``onto`` the root holds the files of a real driver already (Debian's packages unpacked, say): they are kept,
    but for NVML, and what the kernel shows is added. RequestError for a host that cannot be; HostError where ``root``
    is not a free place, or device nodes cannot be made. Nothing stays behind when it fails.
    """
    real = os.path.realpath(root)
    if os.path.lexists(real + MARKER):
        raise HostError(
            f"{root} is a simulated host already", hint=f"remove it: linkspan sim remove {root}", subject=root
        )
    if onto:
        return _create_onto(real, spec)
    if os.path.lexists(real) and not (os.path.isdir(real) and not os.listdir(real)):
        raise HostError(f"{root} exists and is not an empty folder", hint="choose another folder", subject=root)
    return _write(SimHost(root=real, spec=spec))


def _create_onto(real: str, spec: SimSpec) -> SimHost:
    spec = overlay.with_version(real, spec)
    made = overlay.free(real, _additions(real, spec))
    return _write(
        SimHost(root=real, spec=spec, made=made, onto=True, saved=overlay.nvml_files(real, spec.driver_version))
    )


def _write(host: SimHost) -> SimHost:
    """Write the marker first: whatever happens to us, ``remove`` then knows what this folder is."""
    tree = _tree(host)
    made_root = not os.path.isdir(host.root)
    try:
        trees.make_folders(host.root)
        write(host.root, {MARKER: _marker(host)})
        overlay.save(host.root, host.saved)
        write(host.root, tree)
        if host.spec.engines and not host.onto:
            spec_side.finish(Machine(host.root, host.spec))
    except BaseException:
        _take_down(host)
        if made_root and os.path.isdir(host.root):
            os.rmdir(host.root)
        raise
    return host


def inject(root: str, fault: str) -> SimHost:
    """Add a fault to a simulated host; RequestError where there is no such fault, or nothing to break."""
    host = load(root)
    hurt = msgspec.structs.replace(host, spec=msgspec.structs.replace(host.spec, faults=(*host.spec.faults, fault)))
    old, new = _tree(host), _tree(hurt)
    for path in old.keys() - new.keys():
        trees.remove_file(inside(host.root, path))
    write(host.root, {path: entry for path, entry in new.items() if old.get(path) != entry} | {MARKER: _marker(hurt)})
    return hurt


def load(root: str) -> SimHost:
    """The simulated host at ``root``, by its marker; HostError where there is none."""
    real = os.path.realpath(root)
    try:
        with open(real + MARKER, "rb") as file:
            host = msgspec.json.decode(file.read(), type=SimHost)
    except FileNotFoundError:
        hint = "only a folder that 'linkspan sim create' made is touched"
        raise HostError(f"{root} is not a simulated host", hint=hint, subject=root) from None
    except (OSError, msgspec.MsgspecError) as error:
        raise HostError(f"cannot read {real}{MARKER}: {error}", subject=real + MARKER) from error
    return msgspec.structs.replace(host, root=real)


def remove(root: str) -> SimHost:
    """Take a simulated host away, or off the files that it was laid over.

    HostError for a folder that is not one, and while something is mounted below it: that would be emptied, too.
    """
    host = load(root)
    mounted = [mount.path for mount in procfs.mountinfo(_mounts()) if mount.path.startswith(f"{host.root}/")]
    if mounted:
        raise HostError(f"{mounted[0]} is a mount below {root}", hint=f"umount {mounted[0]}", subject=mounted[0])
    _take_down(host)
    if not host.onto and not os.path.ismount(host.root):
        os.rmdir(host.root)
    return host


def _mounts() -> str:
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def _take_down(host: SimHost) -> None:
    """Empty the root; of one with other people's files only what is ours goes. The marker goes last."""
    if host.onto:
        overlay.take_off(host.root, host.made, host.saved)
        trees.remove_file(host.root + MARKER)
    elif os.path.isdir(host.root):
        for name in sorted(os.listdir(host.root), key=lambda name: f"/{name}" == MARKER):
            place = os.path.join(host.root, name)
            if os.path.isdir(place) and not os.path.islink(place):
                trees.remove_tree(place)
            else:
                trees.remove_file(place)


def _marker(host: SimHost) -> File:
    return File(msgspec.json.format(msgspec.json.encode(host)) + b"\n")


def _tree(host: SimHost) -> Tree:
    """All that is to stand below the root, faults included."""
    spec, devices = host.spec, gpus(host.spec)
    native = _native(host.root, spec)
    if host.onto:
        ours = frozenset(host.made)
        tree = {path: entry for path, entry in _additions(host.root, spec).items() if path in ours}
        tree |= {path: File(native.nvml) for path in host.saved}
    elif spec.layout == "wsl":
        tree = wsl.tree(spec, native)
    elif spec.layout == "tegra":
        tree = tegra.tree(spec)
    else:
        files = driver_side.tree(spec, layout(spec.layout, spec.driver_version), native)
        tree = {**files, **kernel_side.tree(spec, devices)}
    tree |= engine_side.tree(spec, devices, tree)
    faults.apply(tree, spec, devices)
    return tree


def _additions(real: str, spec: SimSpec) -> Tree:
    """What a root with the files of a real driver lacks."""
    return {**kernel_side.tree(spec, gpus(spec)), **overlay.program_links(real)}


def _native(real: str, spec: SimSpec) -> Native:
    """The compiled files of this installation, with the description of the host put in."""
    hurt = faults.effects(spec)
    description = record.pack(
        gpus(spec),
        driver=spec.driver_version,
        root=real,
        wsl=spec.layout == "wsl",
        mismatched=hurt.mismatched,
        lost=hurt.lost,
    )
    nvml, cuda, smi = (_compiled(name) for name in ("libnvidia-ml.so", "libcuda.so", "nvidia-smi"))
    return Native(nvml=record.embed(nvml, description), cuda=record.embed(cuda, description), smi=smi)


def _compiled(name: str) -> bytes:
    try:
        return resources.files("linkspan.sim").joinpath("native", name).read_bytes()
    except FileNotFoundError:
        hint = "install linkspan again, where there is a C compiler"
        raise HostError("this installation has no compiled simulated driver", hint=hint, subject=name) from None
