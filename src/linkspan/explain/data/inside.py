#!/usr/bin/env python3
# What an application in this container sees of the GPUs. It needs Python 3.6 and nothing else, and changes nothing.
#
#     linkspan explain --inside-script | docker exec -i CONTAINER python3 -
"""Looks at a GPU container from inside: variables, device nodes, libraries, versions."""

import ctypes
import errno
import os
import sys

LIBRARIES = ("libcuda.so.1", "libnvidia-ml.so.1")
VARIABLES = ("NVIDIA_", "CUDA_", "LD_LIBRARY_PATH", "LD_PRELOAD")


def nodes():
    """Every device node of the GPU stack, and how opening it ended."""
    for folder in ("/dev", "/dev/nvidia-caps", "/dev/dri"):
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        for name in names:
            wanted = folder != "/dev" or name.startswith("nvidia") or name == "dxg"
            if wanted and not os.path.isdir(folder + "/" + name):
                yield folder + "/" + name, opened(folder + "/" + name)


def opened(path):
    """How opening a device ended, in words."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
    except OSError as error:
        why = {
            errno.EPERM: "the cgroup's rules refuse it",
            errno.EACCES: "this user may not",
            errno.ENXIO: "no hardware",
        }
        return "fails: {} ({})".format(why.get(error.errno, error.strerror), errno.errorcode.get(error.errno, "?"))
    return "opens"


def loaded(name):
    """A library as this container's loader finds it, and the file that it is; or why there is none."""
    try:
        library = ctypes.CDLL(name)
    except OSError as error:
        return None, str(error)
    with open("/proc/self/maps") as maps:
        files = [line.split(None, 5)[5].strip() for line in maps if len(line.split(None, 5)) > 5]
    stem = name.partition(".so")[0]
    return library, next((path for path in files if os.path.basename(path).startswith(stem + ".so")), "loaded")


def cuda(library):
    """What CUDA says of itself: result of cuInit, version of the driver's CUDA, number of devices."""
    version, count = ctypes.c_int(), ctypes.c_int()
    if library.cuDriverGetVersion(ctypes.byref(version)) == 0:
        yield "CUDA of the driver", f"{version.value // 1000}.{version.value % 1000 // 10}"
    result = library.cuInit(0)
    yield "cuInit", "works" if result == 0 else f"error {result}"
    if result == 0 and library.cuDeviceGetCount(ctypes.byref(count)) == 0:
        yield "CUDA devices", str(count.value)


def nvml(library):
    """What NVML says: the driver's version and the number of GPUs."""
    result = library.nvmlInit_v2()
    if result:
        yield "nvmlInit", f"error {result}"
        return
    text, count = ctypes.create_string_buffer(96), ctypes.c_uint()
    if library.nvmlSystemGetDriverVersion(text, 96) == 0:
        yield "driver by NVML", text.value.decode()
    if library.nvmlDeviceGetCount_v2(ctypes.byref(count)) == 0:
        yield "GPUs by NVML", str(count.value)
    library.nvmlShutdown()


def answers(library, ask):
    """The answers of a library, which may lack what it is asked for."""
    try:
        for line in ask(library):
            yield line
    except AttributeError as error:
        yield "it lacks a function", str(error)


def lines():
    """All that is seen, as pairs of words."""
    for name in sorted(os.environ):
        if name.startswith(VARIABLES):
            yield name, os.environ[name]
    version = "/proc/driver/nvidia/version"
    if os.path.exists(version):
        with open(version) as file:
            yield version, file.readline().strip()
    else:
        yield version, "not there"
    found = list(nodes())
    for path, how in found or [("/dev/nvidia*", "not there")]:
        yield path, how
    for name, ask in zip(LIBRARIES, (cuda, nvml)):
        library, where = loaded(name)
        yield name, where
        if library is not None:
            for pair in answers(library, ask):
                yield pair


def main():
    """Print what is seen; exit with 0 where CUDA or NVML works, else with 1."""
    seen = list(lines())
    width = max(len(name) for name, _ in seen)
    for name, value in seen:
        print(f"{name.ljust(width)}  {value}")
    works = ("cuInit", "works") in seen or any(name == "GPUs by NVML" and value != "0" for name, value in seen)
    print("\nan application here has a GPU" if works else "\nan application here has no GPU")
    return 0 if works else 1


if __name__ == "__main__":
    sys.exit(main())
