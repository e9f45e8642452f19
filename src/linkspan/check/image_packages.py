"""Which package of an image's distribution brings a library: the few that the driver's graphics libraries load."""

from linkspan.check.eyes import Eyes

_DEBIAN = {
    "libX11.so.6": "libx11-6",
    "libXext.so.6": "libxext6",
    "libxcb.so.1": "libxcb1",
    "libGLdispatch.so.0": "libglvnd0",
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libvulkan.so.1": "libvulkan1",
    "libgbm.so.1": "libgbm1",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-server.so.0": "libwayland-server0",
    "libdrm.so.2": "libdrm2",
}
_RPM = {
    "libX11.so.6": "libX11",
    "libXext.so.6": "libXext",
    "libxcb.so.1": "libxcb",
    "libGLdispatch.so.0": "libglvnd",
    "libEGL.so.1": "libglvnd-egl",
    "libGL.so.1": "libglvnd-glx",
    "libvulkan.so.1": "vulkan-loader",
    "libgbm.so.1": "mesa-libgbm",
    "libwayland-client.so.0": "libwayland-client",
    "libwayland-server.so.0": "libwayland-server",
    "libdrm.so.2": "libdrm",
}


def is_known(soname: str) -> bool:
    """True for a library that images bring."""
    return soname in _DEBIAN


def of_libraries(root: Eyes, sonames: list[str]) -> str:
    """How the packages with these libraries are installed there; the libraries' names where that is not known."""
    for program, table, command in (
        ("/usr/bin/apt-get", _DEBIAN, "apt-get install -y"),
        ("/usr/bin/dnf", _RPM, "dnf install -y"),
        ("/usr/bin/microdnf", _RPM, "microdnf install -y"),
    ):
        if root.exists(program) and all(name in table for name in sonames):
            return f"RUN {command} {' '.join(dict.fromkeys(table[name] for name in sonames))}"
    return f"the packages that bring {', '.join(sonames)}"
