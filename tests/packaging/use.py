"""What an installed linkspan has to be able to do, wherever it was installed."""

import json

from linkspan._version import __version__
from linkspan.store import names
from tests.packaging.machine import Machine

HOST = "/tmp/host"  # in a machine of our own
SPEC = "/run/cdi/nvidia.yaml"
BUNDLE = "/tmp/bundle"


def check(host: Machine, prefix: str) -> None:
    """Use every program once: what was packaged is complete."""
    programs = f"{prefix}/bin"
    linkspan = f"{programs}/linkspan"
    assert host.run(linkspan, "--version") == f"linkspan {__version__}\n"
    host.run(linkspan, "sim", "create", HOST, "--gpus", "2")
    assert _gpus(host, linkspan) == 2
    assert f"version {__version__}" in host.run(f"{programs}/linkspan-prestart-hook", "--version")
    for name in ("linkspan-runtime", "nvidia-container-runtime"):
        assert f"version {__version__}" in host.run(f"{programs}/{name}", "--version")
    assert all(host.has(f"{programs}/{name}") for name in names.NAMES)
    assert host.run(f"{programs}/nvidia-container-cli", "--root", HOST, "list", "-d", "1").endswith("/dev/nvidia1\n")
    assert host.run(f"{programs}/nvidia-ctk", "--version").endswith(f"linkspan version {__version__}\n")
    assert '"9" was asked for, but this host has GPUs' in refusal(host, f"{programs}/linkspan-runtime")
    host.run(linkspan, "cdi", "refresh", "--driver-root", HOST)
    assert f"{programs}/linkspan-hook" in host.run("cat", SPEC)
    host.run(linkspan, "sim", "remove", HOST)


def _gpus(host: Machine, linkspan: str) -> int:
    facts = json.loads(host.run(linkspan, "facts", "--json", "--driver-root", HOST))
    assert "nvml" in facts["driver"]["readings"]
    return len(facts["gpus"])


def refusal(host: Machine, runtime: str) -> str:
    """What is refused of a container that asks for a GPU that is not there: the full program has then been found."""
    host.write("/etc/nvidia-container-runtime/config.toml", f'[nvidia-container-cli]\nroot = "{HOST}"\n')
    config = {
        "ociVersion": "1.0.2",
        "root": {"path": "/"},
        "process": {"args": ["true"], "cwd": "/", "env": ["NVIDIA_VISIBLE_DEVICES=9"]},
        "linux": {},
    }
    host.write(f"{BUNDLE}/config.json", json.dumps(config))
    done = host.call(runtime, "create", "--bundle", BUNDLE, "test")
    host.run("rm", "-r", "/etc/nvidia-container-runtime", BUNDLE)
    return done.stderr
