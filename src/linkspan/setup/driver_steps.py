"""The steps that bring the driver: where it comes from, what it is built with, and what keeps it from being loaded."""

import shlex

from linkspan.check import distribution
from linkspan.setup.look import Look
from linkspan.setup.model import Step
from linkspan.setup.way import Way, install, missing, taken_back

NOUVEAU_FILE = "/etc/modprobe.d/linkspan-nouveau.conf"
NOUVEAU_TEXT = r"blacklist nouveau\noptions nouveau modeset=0\n"
_INITRAMFS = {"debian": "update-initramfs -u", "ubuntu": "update-initramfs -u"}


def _loaded(look: Look) -> str:
    return f"driver {look.loaded_version} is loaded" if look.loaded_version else ""


def repository(look: Look, way: Way) -> Step:
    """Where the packages come from."""
    lacking = [part for part in way.sources if not part.done]
    loaded = _loaded(look)
    names = ", ".join(part.name for part in lacking)
    return Step(
        key="repository",
        title="the repositories of the driver",
        why="the distribution's default ones do not have it",
        check=f"{', '.join(part.name for part in way.sources)}: configured for the package manager",
        found=loaded or (f"not configured: {names}" if names else "all are configured"),
        done=bool(loaded) or not lacking,
        commands=tuple(command for part in lacking for command in part.commands),
        verify="the package manager's files name them",
        undo=tuple(command for part in reversed(lacking) for command in part.undo),
    )


def headers(look: Look, way: Way) -> Step | None:
    """What kernel modules are built with; None where they come built."""
    if not way.headers:
        return None
    build = f"/lib/modules/{look.kernel}/build"
    there, lacking = look.eyes.exists(build), missing(look, way.headers)
    loaded = _loaded(look)
    return Step(
        key="headers",
        title=f"the headers of kernel {look.kernel}",
        why="the kernel modules are built for the kernel that runs, and again for each that comes",
        check=f"{build} leads to the kernel's headers",
        found=loaded or ("they are there" if there else f"{build} leads nowhere"),
        done=bool(loaded) or there,
        commands=(install(look, lacking or way.headers),),
        verify=f"{build} is there",
        undo=taken_back(look, lacking),
    )


def nouveau(look: Look) -> Step:
    """The kernel's own driver, which must not take the GPUs first."""
    barred, loaded = look.nouveau_barred_by, _loaded(look)
    remake = _INITRAMFS.get(look.distribution.family, "dracut --force")
    return Step(
        key="nouveau",
        title="nouveau kept from the GPUs",
        why="the kernel's own driver takes the GPUs at the start, and no other can then",
        check="a file of modprobe.d has 'blacklist nouveau'",
        found=f"{barred} does" if barred else loaded or "no file does",
        done=bool(barred or loaded),
        commands=(f"printf {shlex.quote(NOUVEAU_TEXT)} | tee {NOUVEAU_FILE} >/dev/null", remake),
        verify="the file is there; nouveau itself stays until the next start",
        undo=(f"rm -f {NOUVEAU_FILE}", remake),
    )


def driver(look: Look, way: Way) -> Step:
    """The driver itself."""
    lacking, loaded = missing(look, way.driver), _loaded(look)
    problem = _problem(look)
    return Step(
        key="driver",
        title="the driver",
        why=way.sentence,
        check=f"there is a module of the driver for kernel {look.kernel}, and nvidia-smi",
        found=loaded or problem or f"kernel {look.kernel} has its module, and nvidia-smi is there",
        done=bool(loaded) or not problem,
        commands=_install(look, way, lacking),
        verify="the kernel has its module, and nvidia-smi is there",
        undo=taken_back(look, lacking),
    )


def _problem(look: Look) -> str:
    if not look.has_module:
        return f"there is no module of the driver for kernel {look.kernel}"
    return "" if look.scene.has("nvidia-smi") else "nvidia-smi is not there"


def _install(look: Look, way: Way, lacking: tuple[str, ...]) -> tuple[str, ...]:
    """Install what is missing; where nothing is, the modules were not built, and the kernel's headers are there now."""
    if lacking:
        return way.install or (install(look, lacking),)
    return (way.build,) if way.build else way.install or (install(look, way.driver),)


def secure_boot(look: Look, way: Way) -> Step | None:
    """The key of the kernel modules; None where Secure Boot is off, or they come signed."""
    if not look.secure_boot or not way.key:
        return None
    state = look.key_state(way.key)
    asked = state == "asked for"
    return Step(
        key="secure-boot",
        title="the key of the kernel modules, enrolled for Secure Boot",
        why="with Secure Boot the kernel takes modules only if it trusts their key",
        check=f"{way.key} is among the keys that the firmware's shim trusts",
        found=f"{way.key} is {state}" + (", and waits for you at the next start" if asked else ""),
        done=state == "enrolled",
        commands=() if asked else _enrol(look, way, state),
        verify="mokutil has put the key before the firmware; it is enrolled when you confirm that at the next start",
        undo=("mokutil --revoke-import || true",),
        restart="at the next start choose 'Enroll MOK' on the blue screen, and give the password",
        password=True,
    )


def _enrol(look: Look, way: Way, state: str) -> tuple[str, ...]:
    program = "" if look.scene.has("mokutil") else distribution.install_command(look.distribution, "mokutil")
    key = way.make_key if state == "not there" else ""
    return tuple(filter(None, (program, key, f"mokutil --import {way.key}")))


def module(look: Look, way: Way | None) -> Step:
    """The driver in the kernel."""
    held = _held_until_restart(look, way)
    return Step(
        key="module",
        title="the driver in the kernel",
        why="without it no GPU has a device node",
        check="/proc/driver/nvidia/version is there",
        found=_loaded(look) or held or "it is not loaded",
        done=bool(look.loaded_version),
        commands=() if held else ("modprobe nvidia",),
        verify="/proc/driver/nvidia/version is there",
        undo=("modprobe -r nvidia_uvm nvidia_drm nvidia_modeset nvidia",),
        restart=held,
    )


def _held_until_restart(look: Look, way: Way | None) -> str:
    if look.nouveau_loaded:
        return "nouveau holds the GPUs until the host starts without it"
    if way and way.key and look.secure_boot and look.key_state(way.key) != "enrolled":
        return "the kernel refuses the modules until their key is enrolled"
    return ""
