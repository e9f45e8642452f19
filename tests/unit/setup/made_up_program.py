"""Stands in for a program of a system: does to the tree what that would do to the host."""

import json
import os
import re
import sys
import time

top = os.path.dirname(os.path.dirname(os.path.abspath(sys.argv[0])))
tree, name, words = f"{top}/tree", os.path.basename(sys.argv[0]), sys.argv[1:]
line = " ".join([name, *words])
with open(f"{top}/calls", "a") as calls:
    calls.write(line + "\n")


def told(what):
    try:
        with open(f"{top}/{what}") as file:
            return file.read().strip()
    except FileNotFoundError:
        return ""


def put(path, text="", mode=0o644):
    os.makedirs(os.path.dirname(tree + path), exist_ok=True)
    with open(tree + path, "w") as file:
        file.write(text)
    os.chmod(tree + path, mode)


def drop(*paths):
    for path in paths:
        if os.path.lexists(tree + path):
            os.unlink(tree + path)


def packages():
    try:
        with open(f"{tree}/var/lib/dpkg/status") as file:
            return re.findall(r"^Package: (\S+)$", file.read(), re.MULTILINE)
    except FileNotFoundError:
        return []


def write_packages(names):
    stanzas = (f"Package: {one}\nStatus: install ok installed\nVersion: 1.0\n" for one in names)
    put("/var/lib/dpkg/status", "\n".join(stanzas))


if told("hang") and told("hang") in line:
    time.sleep(120)
if told("slow") and told("slow") in line:
    time.sleep(1)
if told("fail") and told("fail") in line:
    sys.exit(f"E: {name} was told to fail")
if name == "apt-get" and words[0] in ("install", "remove"):
    wanted = [word for word in words[1:] if not word.startswith("-")]
    rest = [one for one in packages() if one not in wanted]
    write_packages(rest + wanted if words[0] == "install" else rest)
    for one in wanted:
        if one.startswith("linux-headers-"):
            path = f"/lib/modules/{one.removeprefix('linux-headers-')}/build/Makefile"
            put(path) if words[0] == "install" else drop(path)
        if one == "nvidia-kernel-dkms":
            with open(f"{tree}/proc/sys/kernel/osrelease") as file:
                dep = f"/lib/modules/{file.read().strip()}/modules.dep"
            line_of_it = "updates/dkms/nvidia-current.ko: kernel/drivers/video/video.ko\n"
            put(dep, line_of_it) if words[0] == "install" else drop(dep)
        if one == "nvidia-smi":
            put("/usr/bin/nvidia-smi", "", 0o755) if words[0] == "install" else drop("/usr/bin/nvidia-smi")
        if one == "docker.io":
            put("/usr/bin/dockerd", "", 0o755) if words[0] == "install" else drop("/usr/bin/dockerd")
elif name == "tee":
    put(words[0], sys.stdin.read())
elif name == "rm":
    drop(*[word for word in words if word.startswith("/")])
elif name == "modprobe" and words[0] == "-r":
    drop("/proc/driver/nvidia/version")
elif name == "modprobe":
    put("/proc/driver/nvidia/version", "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.261.03  simulated\n")
elif name == "systemctl" and words[-1] == "nvidia-persistenced":
    socket = "/run/nvidia-persistenced/socket"
    put(socket) if words[0] in ("enable", "start") else drop(socket)
elif name == "nvidia-modprobe":
    for node in ("nvidiactl", "nvidia0", "nvidia-uvm"):
        put(f"/dev/{node}")
elif name == "dkms":
    put("/var/lib/dkms/mok.pub", "the certificate")
elif name == "mokutil" and words[0] == "--import":
    first, again = sys.stdin.readline(), sys.stdin.readline()
    if not first.strip() or first != again:
        sys.exit("password doesn't match")
    put("/sys/firmware/efi/efivars/MokNew-605dab50-e046-4300-abb6-3dd810dd8b23", "head" + "the certificate")
elif line == "linkspan install":
    put("/usr/local/bin/linkspan-runtime", "", 0o755)
elif line == "linkspan uninstall":
    drop("/usr/local/bin/linkspan-runtime")
elif line == "linkspan cdi refresh":
    device = {"name": "0", "containerEdits": {"deviceNodes": [{"path": "/dev/nvidia0"}]}}
    spec = {"cdiVersion": "0.5.0", "kind": "nvidia.com/gpu", "devices": [device]}
    put("/var/run/cdi/nvidia.yaml", json.dumps(spec))
elif line.startswith("linkspan engine configure docker"):
    runtime = {"path": "/usr/local/bin/linkspan-runtime"}
    put("/etc/docker/daemon.json", json.dumps({"runtimes": {"nvidia": runtime}}))
elif line.startswith("linkspan engine unconfigure docker"):
    drop("/etc/docker/daemon.json")
