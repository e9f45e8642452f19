"""A container's start for tests, in a /proc of the test's own: process 7 appears, is filled, runs and ends."""

import os
import shutil

from linkspan.explain.live import Follower, Host, Wanted
from tests import hosts

HOST = Host("550.163.01", frozenset({195, 510}))
LIBRARIES = ("libcuda.so.550.163.01", "libnvidia-ml.so.550.163.01", "libnvidia-ptxjitcompiler.so.550.163.01")
BASE = "22 1 0:30 / / rw - overlay overlay rw\n"


class Start:
    """The start, step by step; ``now`` is the clock."""

    def __init__(self, folder: object) -> None:
        self.proc = f"{folder}/proc"
        self.now = 100.0
        hosts.make(self.proc, {"/self/mountinfo": BASE, "/3/mountinfo": BASE})
        self._namespaces("self", 1, 1)
        self._namespaces("3", 2, 1)  # a service with mounts of its own, but no container

    def follower(self, host: Host = HOST, pid: int = 0, within: str = "") -> Follower:
        return Follower(host, lambda: self.now, Wanted(pid, within), self.proc)

    def appear(self) -> None:
        """The runtime has forked it, in namespaces of its own, with the host's root still."""
        tree = {
            "/mountinfo": BASE,
            "/cgroup": "0::/x\n",
            "/exe": "-> /memfd:runc_cloned:/proc/self/exe",
            "/root": "-> /",
        }
        hosts.make(f"{self.proc}/7", tree)
        self._namespaces("7", 5, 6)

    def mount(self, *names: str, below: str = "/run/x/rootfs") -> None:
        lines = (f"23 22 8:1 /l/{name} {below}/usr/lib/{name} ro - ext4 /dev/sda1 rw\n" for name in names)
        self.write("mountinfo", BASE + "".join(lines))

    def change_root(self, *nodes: str, cache: str = "libcuda.so.1") -> None:
        os.unlink(f"{self.proc}/7/root")
        cached = hosts.ldcache.render([(cache, f"/usr/lib/{cache}", hosts.ldcache.flags_for(62, 64), 0, 0)])
        hosts.make(f"{self.proc}/7/root", {"/etc/ld.so.cache": cached, "/dev/null": ""})
        for node in nodes:
            hosts.make(f"{self.proc}/7/root", {f"/dev/{node}": ""})

    def run(self, program: str = "/usr/bin/python3", *environ: str) -> None:
        os.unlink(f"{self.proc}/7/exe")
        os.symlink(program, f"{self.proc}/7/exe")
        self.write("environ", "\0".join(environ))

    def end(self) -> None:
        shutil.rmtree(f"{self.proc}/7")

    def write(self, name: str, text: str) -> None:
        with open(f"{self.proc}/7/{name}", "w", encoding="utf-8") as file:
            file.write(text)

    def _namespaces(self, pid: str, mounts: int, processes: int) -> None:
        os.makedirs(f"{self.proc}/{pid}/ns")
        os.symlink(f"mnt:[{mounts}]", f"{self.proc}/{pid}/ns/mnt")
        os.symlink(f"pid:[{processes}]", f"{self.proc}/{pid}/ns/pid")
