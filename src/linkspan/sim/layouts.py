"""Where distributions put the driver's user-space files."""

import os
from typing import NamedTuple

from linkspan.sim.tree import Entry, Link


class Layout(NamedTuple):
    """Folders below the driver root; ``links`` are symlinks that programs come by."""

    libraries: str
    libraries32: str
    binaries: str
    share: str
    os_release: str
    has_cache: bool = True
    links: dict[str, Entry] = {}


def layout(name: str, version: str) -> Layout:
    """The layout of this name: ``debian``, ``rhel``, ``nixos`` or ``cos``."""
    machine = os.uname().machine
    if name == "rhel":
        release = 'NAME="Red Hat Enterprise Linux"\nID="rhel"\nID_LIKE="fedora"\nVERSION_ID="9.4"\n'
        return Layout("/usr/lib64", "/usr/lib", "/usr/bin", "/usr/share", release)
    if name == "nixos":
        return _nixos(f"/nix/store/6y1m9q4n3rk6s5h0y7c1rj1bzb0xqv2w-nvidia-x11-{version}")
    if name == "cos":
        home = "/home/kubernetes/bin/nvidia"
        release = 'NAME="Container-Optimized OS"\nID=cos\nVERSION_ID=113\n'
        return Layout(f"{home}/lib64", f"{home}/lib", f"{home}/bin", f"{home}/share", release, has_cache=False)
    release = 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nNAME="Debian GNU/Linux"\nID=debian\nVERSION_ID="13"\n'
    return Layout(f"/usr/lib/{machine}-linux-gnu", "/usr/lib/i386-linux-gnu", "/usr/bin", "/usr/share", release)


def _nixos(store: str) -> Layout:
    """Everything is in the store; programs come to it by /run/opengl-driver and the system's profile."""
    return Layout(
        *(f"{store}/lib", f"{store}/lib32", f"{store}/bin", f"{store}/share"),
        'NAME=NixOS\nID=nixos\nVERSION_ID="24.11"\n',
        has_cache=False,
        links={
            "/run/opengl-driver": Link(store),
            "/run/opengl-driver-32/lib": Link(f"{store}/lib32"),
            "/run/current-system/sw/bin": Link(f"{store}/bin"),
        },
    )
