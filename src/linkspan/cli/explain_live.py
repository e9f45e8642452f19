"""``linkspan explain --live``: follow a container's start at the terminal. ``explain`` calls ``live``."""

import importlib.util
import sys
import time

from linkspan.check import subjects
from linkspan.cli import output, picture
from linkspan.errors import ConfigError, RequestError
from linkspan.explain import live as following
from linkspan.explain.live import Wanted
from linkspan.facts.host import LiveHost
from linkspan.formats import procfs

NVIDIA = "nvidia"
"""How the driver's devices begin in /proc/devices: nvidia, nvidia-uvm, nvidia-caps, nvidia-frontend before 470."""


def live(name: str = "", driver_root: str = "/") -> int:
    """Follow a container, the next one that starts where none is named; the exit code.

    A name of none that runs is waited for, as a part of the path of its cgroup: its ID, or the pod's.

    It ends when a person quits; the chain as it was then is left on the screen. 0 where it works or nobody asked for a
    GPU, 1 where it is broken. ConfigError where textual is not installed, RequestError where there is no terminal.
    """
    if importlib.util.find_spec("textual") is None:
        hint = "install it with: pip install 'linkspan[live]'"
        raise ConfigError("the live view needs the package textual, which is not installed", hint=hint)
    if not _has_terminal():
        raise RequestError("the live view needs a terminal", hint="without --live the same is told once, as text")
    from linkspan.explain.live_app import LiveApp

    last = LiveApp(following.Follower(host(driver_root), time.monotonic, _wanted(name))).run()
    if last is None:
        return output.OK
    picture.show(last.chain)
    return output.FAILED if last.chain.works is False else output.OK


def host(driver_root: str = "/") -> following.Host:
    """What is to be known of the host: the loaded driver and the numbers of its devices."""
    reader = LiveHost(driver_root)
    version, devices = (reader.read(path) or b"" for path in ("/proc/driver/nvidia/version", "/proc/devices"))
    majors = procfs.devices(devices.decode(errors="replace")) if devices else {}
    numbers = frozenset(number for name, number in majors.items() if name.startswith(NVIDIA))
    return following.Host(procfs.driver_version(version.decode(errors="replace")).version if version else "", numbers)


def _wanted(name: str) -> Wanted:
    if not name:
        return Wanted()
    try:
        return Wanted(pid=subjects.pid_of(name))
    except RequestError:
        return Wanted(within=name)


def _has_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()
