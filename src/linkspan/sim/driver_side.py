"""The user-space files of a simulated driver: libraries, programs, firmware, configuration, and the loader's cache.

Names, SONAMEs and links are those of Debian's driver packages of branch 550; the folders are the layout's.
"""

import json
import os
import posixpath
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from linkspan.formats import elf, ldcache
from linkspan.sim import elfwriter
from linkspan.sim.layouts import Layout
from linkspan.sim.spec import SimSpec
from linkspan.sim.tree import Entry, File, Folder, Link, Socket, Tree, text

# The number in the SONAME of libraries that end in the driver's version: libcuda.so.VERSION has libcuda.so.1.
SONAMES = {
    "libEGL_nvidia": 0,
    "libGLESv1_CM_nvidia": 1,
    "libGLESv2_nvidia": 2,
    "libGLX_nvidia": 0,
    "libcuda": 1,
    "libcudadebugger": 1,
    "libnvcuvid": 1,
    "libnvidia-allocator": 1,
    "libnvidia-cfg": 1,
    "libnvidia-encode": 1,
    "libnvidia-fbc": 1,
    "libnvidia-ml": 1,
    "libnvidia-ngx": 1,
    "libnvidia-nvvm": 4,
    "libnvidia-opencl": 1,
    "libnvidia-opticalflow": 1,
    "libnvidia-ptxjitcompiler": 1,
    "libnvoptix": 1,
}
# Those that have a development link, too.
DEVELOPMENT = (
    "libcuda",
    "libnvcuvid",
    "libnvidia-encode",
    "libnvidia-fbc",
    "libnvidia-ml",
    "libnvidia-ngx",
    "libnvidia-opticalflow",
)
# Their SONAME is their file name, VERSION included: only libraries of the driver itself load them.
INTERNAL = (
    "libnvidia-eglcore",
    "libnvidia-glcore",
    "libnvidia-glsi",
    "libnvidia-glvkspirv",
    "libnvidia-gtk3",
    "libnvidia-pkcs11-openssl3",
    "libnvidia-rtcore",
    "libnvidia-tls",
    "libnvidia-wayland-client",
)
# File and SONAME of those that come with the driver and have a version of their own.
FOREIGN = {
    "libnvidia-api.so.1": "libnvidia-api.so.1",
    "libnvidia-egl-gbm.so.1.1.2": "libnvidia-egl-gbm.so.1",
    "libnvidia-egl-wayland.so.1.1.18": "libnvidia-egl-wayland.so.1",
}
ONLY_64_BIT = ("libcudadebugger", "libnvidia-cfg", "libnvidia-gtk3", "libnvidia-ngx", "libnvoptix", "libnvidia-rtcore")
PROGRAMS = ("nvidia-cuda-mps-control", "nvidia-cuda-mps-server", "nvidia-debugdump", "nvidia-persistenced")
FIRMWARE = ("gsp_ga10x.bin", "gsp_tu10x.bin")


class Native(NamedTuple):
    """The compiled files: the libraries with the host's description in them, and our nvidia-smi."""

    nvml: bytes
    cuda: bytes
    smi: bytes


def tree(spec: SimSpec, layout: Layout, native: Native) -> Tree:
    """All of it for one host."""
    version = spec.driver_version
    files: Tree = dict(
        _libraries(layout.libraries, version, _machine(), {"libnvidia-ml": native.nvml, "libcuda": native.cuda})
    )
    if spec.compat32:
        files |= {
            path: entry
            for path, entry in _libraries(layout.libraries32, version, elfwriter.EM_386, {})
            if posixpath.basename(path).partition(".so")[0] not in ONLY_64_BIT
        }
    files |= {f"{layout.binaries}/{name}": _program(name) for name in PROGRAMS}
    files[f"{layout.binaries}/nvidia-smi"] = File(native.smi, 0o755)
    files[f"{layout.binaries}/nvidia-modprobe"] = _program("nvidia-modprobe")._replace(mode=0o4755)
    files |= {f"/lib/firmware/nvidia/{version}/{name}": text(f"simulated {name}\n") for name in FIRMWARE}
    files |= {**_configs(layout.share, version), **_optional(spec), **layout.links}
    files["/etc/os-release"] = text(layout.os_release)
    if layout.has_cache:
        files["/etc/ld.so.cache"] = File(ldcache.render(cache_entries(files, (layout.libraries, layout.libraries32))))
    return files


def _machine() -> int:
    return elfwriter.EM_AARCH64 if os.uname().machine == "aarch64" else elfwriter.EM_X86_64


def _libraries(folder: str, version: str, machine: int, compiled: Mapping[str, bytes]) -> Iterator[tuple[str, Entry]]:
    for stem, number in SONAMES.items():
        soname, name = f"{stem}.so.{number}", f"{stem}.so.{version}"
        yield f"{folder}/{name}", File(compiled.get(stem) or elfwriter.shared_object(soname, machine))
        yield f"{folder}/{soname}", Link(name)
        if stem in DEVELOPMENT:
            yield f"{folder}/{stem}.so", Link(soname)
    for stem in INTERNAL:
        name = f"{stem}.so.{version}"
        yield f"{folder}/{name}", File(elfwriter.shared_object(name, machine))
    for name, soname in FOREIGN.items():
        yield f"{folder}/{name}", File(elfwriter.shared_object(soname, machine))
        if name != soname:
            yield f"{folder}/{soname}", Link(name)
    yield f"{folder}/nvidia-drm_gbm.so", Link(f"libnvidia-allocator.so.{version}")
    vdpau = f"libvdpau_nvidia.so.{version}"
    yield f"{folder}/vdpau/{vdpau}", File(elfwriter.shared_object("libvdpau_nvidia.so.1", machine))
    yield f"{folder}/vdpau/libvdpau_nvidia.so.1", Link(vdpau)


def _program(name: str) -> File:
    return File(
        f"#!/bin/sh\n# {name} of a simulated driver: there is no GPU for it to work on.\nexit 0\n".encode(), 0o755
    )


def _json(document: object) -> File:
    return text(json.dumps(document, indent=4) + "\n")


def _icd(library: str, **more: str) -> File:
    return _json({"file_format_version": "1.0.0", "ICD": {"library_path": library, **more}})


def _configs(share: str, version: str) -> Tree:
    layer = {
        "name": "VK_LAYER_NV_optimus",
        "type": "INSTANCE",
        "library_path": "libGLX_nvidia.so.0",
        "api_version": "1.3.277",
        "implementation_version": "1",
        "description": "NVIDIA Optimus layer",
    }
    return {
        "/etc/OpenCL/vendors/nvidia.icd": text("libnvidia-opencl.so.1\n"),
        f"{share}/egl/egl_external_platform.d/10_nvidia_wayland.json": _icd("libnvidia-egl-wayland.so.1"),
        f"{share}/egl/egl_external_platform.d/15_nvidia_gbm.json": _icd("libnvidia-egl-gbm.so.1"),
        f"{share}/glvnd/egl_vendor.d/10_nvidia.json": _icd("libEGL_nvidia.so.0"),
        f"{share}/nvidia/nvidia-application-profiles-{version}-rc": _json({"rules": [], "profiles": []}),
        f"{share}/vulkan/icd.d/nvidia_icd.json": _icd("libGLX_nvidia.so.0", api_version="1.3.277"),
        f"{share}/vulkan/implicit_layer.d/nvidia_layers.json": _json({"file_format_version": "1.0.0", "layer": layer}),
    }


def _optional(spec: SimSpec) -> Tree:
    files: Tree = {}
    if spec.sockets:
        files["/run/nvidia-persistenced/socket"] = Socket()
    if spec.nvswitches:
        files["/run/nvidia-fabricmanager/socket"] = Socket()
    if spec.gds:
        files |= {"/etc/cufile.json": _json({}), "/run/udev": Folder()}
    return files


def cache_entries(files: Mapping[str, Entry], folders: tuple[str, ...]) -> "list[ldcache.Entry]":
    """What ldconfig would find in these folders: each library under every name that leads to it."""
    return [
        (posixpath.basename(path), path, flags, 0, 0)
        for path in files
        if posixpath.dirname(path) in folders and posixpath.basename(path).startswith("lib")
        for flags in [_flags(files, path)]
    ]


def _flags(files: Mapping[str, Entry], path: str) -> int:
    entry = files[path]
    while isinstance(entry, Link):
        path = posixpath.join(posixpath.dirname(path), entry.target)
        entry = files[path]
    data = entry.data if isinstance(entry, File) else b""
    header = elf.read(lambda offset, length: data[offset : offset + length], len(data))
    return ldcache.flags_for(header.machine, header.bits)
