"""Processes and containers of a simulated host, as /proc shows them."""

from collections.abc import Iterable, Mapping

from linkspan.sim.tree import File, Link, Tree, text

BOOTED = 1_700_000_000
"""When simulated hosts were started, in seconds since 1970; their files are older, if nothing changed them since."""
INSTALLED = BOOTED - 90 * 86400
HOST_NAMESPACES = {"mnt": 4026531832, "user": 4026531837, "pid": 4026531836}


def process(
    pid: int,
    argv: Iterable[str],
    *,
    exe: str = "",
    uid: int = 0,
    env: Mapping[str, str] | None = None,
    started: float = BOOTED + 60,
    parent: int = 1,
    cgroup: str = "/system.slice",
    root: str = "/",
    namespaces: Mapping[str, int] | None = None,
    mountinfo: str = "",
) -> Tree:
    """A process; ``root`` is its root on the host, ``namespaces`` those that are not the host's, by number."""
    words = tuple(argv)
    name = words[0].rpartition("/")[2]
    folder = f"/proc/{pid}"
    fields = ["S", str(parent), *["0"] * 17, str(int((started - BOOTED) * 100)), "0", "0"]
    environ = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **(env or {})}
    own: Tree = {
        f"{folder}/cmdline": text("".join(f"{word}\0" for word in words)),
        f"{folder}/comm": text(f"{name[:15]}\n"),
        f"{folder}/stat": text(f"{pid} ({name[:15]}) {' '.join(fields)}\n"),
        f"{folder}/status": text(
            f"Name:\t{name[:15]}\nPid:\t{pid}\nPPid:\t{parent}\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n"
        ),
        f"{folder}/environ": text("".join(f"{key}={value}\0" for key, value in environ.items())),
        f"{folder}/cgroup": text(f"0::{cgroup}\n"),
        f"{folder}/mountinfo": text(mountinfo or "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"),
        f"{folder}/uid_map": text("         0          0 4294967295\n"),
        f"{folder}/exe": Link(exe or words[0]),
        # Relative, so that it leads below the simulated root from wherever that is looked at.
        f"{folder}/root": Link(f"../..{root}"),
    }
    for kind, number in {**HOST_NAMESPACES, **(namespaces or {})}.items():
        own[f"{folder}/ns/{kind}"] = Link(f"{kind}:[{number}]")
    return own


def container_id(number: int) -> str:
    """The id of a simulated container."""
    return (f"{number:04x}" * 16)[:64]


def container(
    pid: int,
    *,
    engine: str = "docker",
    argv: Iterable[str] = ("python3", "train.py"),
    env: Mapping[str, str] | None = None,
    files: Tree | None = None,
    mountinfo: str = "",
    uid: int = 0,
    pod: str = "1",
) -> Tree:
    """A running container; ``files`` are what stands below its root, ``mountinfo`` its mounts, ``pod`` its pod's id."""
    found = container_id(pid)
    slices = f"/kubepods.slice/kubepods-pod{pod.replace('-', '_')}.slice"
    cgroup = {
        "docker": f"/system.slice/docker-{found}.scope",
        "podman": f"/machine.slice/libpod-{found}.scope/container",
        "containerd": f"/system.slice/containerd.service/{found}",
        "kubernetes": f"{slices}/cri-containerd-{found}.scope",
        "crio": f"{slices}/crio-{found}.scope",
    }[engine]
    root = f"/var/lib/sim-containers/{found}"
    inside: Tree = {f"{root}/etc/hostname": text(f"{found[:12]}\n")}
    inside |= {f"{root}{path}": entry for path, entry in (files or {}).items()}
    namespaces = {"mnt": 4026532000 + pid, "pid": 4026533000 + pid}
    return inside | process(
        pid, argv, uid=uid, env=env, cgroup=cgroup, root=root, namespaces=namespaces, mountinfo=mountinfo
    )


def program(content: str = "") -> File:
    """A program of a simulated host: nothing runs it."""
    return File(f"#!/bin/sh\n# simulated {content}\n".encode(), 0o755)
