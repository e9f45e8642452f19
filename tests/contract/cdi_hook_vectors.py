"""What the CDI hook is asked for, and what has to be in the root filesystem then.

In ``{outside}`` stands the path of a folder of the host: nothing may come into it, whatever an image has links to.
"""

import dataclasses
import json
from collections.abc import Mapping

from linkspan.formats import ldcache
from linkspan.sim.elfwriter import EM_X86_64
from tests.elf import library

OUTSIDE = "outside"
HOST_PARAMS = "ResmanDebugLevel: 4294967295\nModifyDeviceFiles: {}\n"
LIBS = "/usr/lib/x86_64-linux-gnu"
_WITHIN = "an absolute link of the image means its own root, as it does once it runs"


@dataclasses.dataclass(frozen=True)
class Vector:
    """A root filesystem, the arguments of the hook, its exit code, and what is seen in some places afterwards."""

    name: str
    arguments: tuple[str, ...]
    exit: int = 0
    seen: Mapping[str, str] = dataclasses.field(default_factory=dict)
    tree: Mapping[str, str | bytes | int] = dataclasses.field(default_factory=dict)
    """As ``hosts.make`` takes it; ``folder`` is one, a number is a GPU's node of that minor."""
    host_params: str = ""
    """What the host's driver is told of device nodes, 0 or 1; empty: it has no /proc."""
    root: str = "rootfs"
    state: str = ""
    better: tuple[int, Mapping[str, str]] | None = None
    why: str = ""


def _link(name: str, *links: str, **more: object) -> Vector:
    arguments = ("create-symlinks", *(word for link in links for word in ("--link", link)))
    return Vector(f"create-symlinks: {name}", arguments, **more)  # type: ignore[arg-type]  # the fields above


CUDA = f"libcuda.so.1::{LIBS}/libcuda.so"
MADE = {f"{LIBS}/libcuda.so": "-> libcuda.so.1"}

LINKS = (
    _link("into a folder that is there", CUDA, seen=MADE, tree={LIBS: "folder"}),
    _link("folders on the way are made", CUDA, seen=MADE),
    _link("its text stays as it is", "/nowhere/../x::/a/b", seen={"/a/b": "-> /nowhere/../x"}),
    _link("several", CUDA, "b::/a", seen={**MADE, "/a": "-> b"}),
    _link("one that is there already", "b::/a", seen={"/a": "-> b"}, tree={"/a": "->b"}),
    _link("in the place of another link", "b::/a", seen={"/a": "-> b"}, tree={"/a": "->c"}),
    _link("in the place of a file", "b::/a", seen={"/a": "-> b"}, tree={"/a": "text"}),
    _link("in the place of a folder", "b::/a", exit=1, seen={"/a": "folder"}, tree={"/a": "folder"}),
    _link("without a separator", "b::/a", "/c", exit=1, seen={"/a": "-> b", "/c": "nothing"}),
    _link("with two separators", "b::/a::/c", exit=1, seen={"/a": "nothing", "/c": "nothing"}),
    _link("without a text", "::/a", exit=1, seen={"/a": "nothing"}),
    _link("none at all", seen={}),
    _link("a state that is none", exit=1, state="{"),
    _link(
        "through a folder's link within",
        "b::/lib/a",
        seen={"/usr/lib/a": "-> b"},
        tree={"/usr/lib": "folder", "/lib": "->usr/lib"},
    ),
    _link("attack: above the root", "b::/../../../x", seen={"/x": "-> b"}),
    _link("attack: a folder's absolute link out", "b::/lib/a", exit=1, tree={"/lib": "->{outside}"}),
    _link("attack: a folder's relative link out", "b::/lib/a", exit=1, tree={"/lib": "->../outside"}),
    _link("attack: folders below a link out", "b::/lib/x/y/a", exit=1, tree={"/lib": "->{outside}"}),
    _link("attack: a link's own place leads out", "b::/a", seen={"/a": "-> b"}, tree={"/a": "->{outside}/a"}),
)


def _loader(name: str, *folders: str, **more: object) -> Vector:
    arguments = ("update-ldcache", *(word for folder in folders for word in ("--folder", folder)))
    return Vector(f"update-ldcache: {name}", arguments, **more)  # type: ignore[arg-type]  # the fields above


DEBIAN: dict[str, str | bytes] = {
    "/etc/debian_version": "12.8\n",
    "/etc/ld.so.conf": "include /etc/ld.so.conf.d/*.conf\n",
    "/etc/ld.so.conf.d/libc.conf": "/usr/local/lib\n",
    "/etc/ld.so.cache": ldcache.render([("libz.so.1", f"{LIBS}/libz.so.1", ldcache.flags_for(EM_X86_64, 64), 0, 0)]),
    f"{LIBS}/libz.so.1": library("libz.so.1"),
    "/opt/driver/libcuda.so.550": library("libcuda.so.1"),
}
FOUND = {"library:libcuda.so.1": "/opt/driver/libcuda.so.1", "library:libz.so.1": f"{LIBS}/libz.so.1"}

LOADER = (
    _loader("a folder is searched, beside what was", "/opt/driver", seen=FOUND, tree=DEBIAN),
    _loader(
        "links of the sonames are made",
        "/opt/driver",
        seen={"/opt/driver/libcuda.so.1": "-> libcuda.so.550"},
        tree=DEBIAN,
    ),
    _loader(
        "the folder stays in the configuration",
        "/opt/driver",
        seen={"configured:/opt/driver": "yes"},
        tree=DEBIAN,
    ),
    _loader(
        "a configuration is made where there is none",
        "/opt/driver",
        seen={
            "/etc/ld.so.conf": "'include /etc/ld.so.conf.d/*.conf\\n'",
            "library:libcuda.so.1": FOUND["library:libcuda.so.1"],
        },
        tree={path: content for path, content in DEBIAN.items() if not path.startswith("/etc/ld.so.c")},
    ),
    _loader("no folder", seen={"library:libz.so.1": f"{LIBS}/libz.so.1"}, tree=DEBIAN),
    _loader("the host's root", "/opt/driver", exit=1, root="/"),
    _loader(
        "attack: the cache is a link out",
        "/opt/driver",
        seen={"library:libcuda.so.1": FOUND["library:libcuda.so.1"]},
        tree={**DEBIAN, "/etc/ld.so.cache": "->{outside}/cache"},
    ),
    _loader(
        "attack: the configuration's folder is a link out",
        "/opt/driver",
        exit=1,
        tree={"/opt/driver/libcuda.so.550": DEBIAN["/opt/driver/libcuda.so.550"], "/etc/ld.so.conf.d": "->{outside}"},
        better=(0, {}),
        why=_WITHIN,
    ),
    _loader(
        "attack: the folder of all configuration is a link out",
        "/opt/driver",
        exit=1,
        tree={"/opt/driver/libcuda.so.550": DEBIAN["/opt/driver/libcuda.so.550"], "/etc": "->{outside}"},
        better=(0, {}),
        why=_WITHIN,
    ),
    _loader(
        "attack: a searched folder is a link out",
        "/opt/out",
        seen={"library:libz.so.1": f"{LIBS}/libz.so.1"},
        tree={**DEBIAN, "/opt/out": "->{outside}"},
    ),
)


def _compat(name: str, *versions: str, used: str = "", exit: int = 0, **more: object) -> Vector:  # noqa: A002
    seen = {"/etc/ld.so.conf.d/00-compat-*.conf": repr(f"{used}\n") if used else "nothing"}
    return Vector(f"enable-cuda-compat: {name}", ("enable-cuda-compat", *versions), exit, seen, **more)  # type: ignore[arg-type]


def _image(version: str, folder: str = "/usr/local/cuda/compat", note: object = None) -> dict[str, str | bytes]:
    data = None if note is None else json.dumps(note).encode()
    return {
        f"{folder}/libcuda.so.{version}": library("libcuda.so.1", note=data),
        f"{folder}/libcuda.so.1": f"->libcuda.so.{version}",
    }


NOTE = {"Format": 1, "CUDA Version": "13.0", "Driver": [535, 550], "Device": [1]}
COMPAT = (
    _compat("newer", "--host-driver-version=535.104.05", used="/usr/local/cuda/compat", tree=_image("550.54.15")),
    _compat("the same series", "--host-driver-version=550.54.14", tree=_image("550.54.15")),
    _compat("older", "--host-driver-version=560.28.03", tree=_image("550.54.15")),
    _compat("no version of the host", tree=_image("550.54.15")),
    _compat("an image without", "--host-driver-version=535.104.05"),
    _compat(
        "two of them",
        "--host-driver-version=535.104.05",
        tree={**_image("550.54.15"), "/usr/local/cuda/compat/libcuda.so.560.1": library("libcuda.so.1")},
    ),
    _compat(
        "its folder's own path, not a link's",
        "--host-driver-version=535.104.05",
        used="/usr/local/cuda-12.6/compat",
        tree={**_image("550.54.15", "/usr/local/cuda-12.6/compat"), "/usr/local/cuda": "->cuda-12.6"},
    ),
    _compat(
        "another folder",
        "--host-driver-version=535.104.05",
        "--cuda-compat-container-root=/opt/compat",
        used="/opt/compat",
        tree=_image("550.54.15", "/opt/compat"),
    ),
    _compat(
        "its note names the driver",
        "--host-driver-version=550.54.15",
        used="/usr/local/cuda/compat",
        tree=_image("580.65.06", note=NOTE),
    ),
    _compat("its note names others", "--host-driver-version=560.28.03", tree=_image("580.65.06", note=NOTE)),
    _compat(
        "its note has a newer CUDA",
        "--host-cuda-version=12.9",
        used="/usr/local/cuda/compat",
        tree=_image("580.65.06", note=NOTE),
    ),
    _compat("its note has no newer CUDA", "--host-cuda-version=13.0", tree=_image("580.65.06", note=NOTE)),
    _compat(
        "attack: the folder is a link out",
        "--host-driver-version=535.104.05",
        tree={"/usr/local/cuda": "->{outside}"},
    ),
    Vector(
        "enable-cuda-compat: attack: the configuration's folder is a link out",
        ("enable-cuda-compat", "--host-driver-version=535.104.05"),
        exit=1,
        tree={**_image("550.54.15"), "/etc/ld.so.conf.d": "->{outside}"},
        better=(0, {}),
        why=_WITHIN,
    ),
)

NODES = "disable-device-node-modification"
PROFILES = "/etc/nvidia/nvidia-application-profiles-rc.d/10-container.conf"


def _profile(mask: str) -> str:
    profile = f'{{"profiles":[{{"name":"_container_","settings":["EGLVisibleDGPUDevices",{mask}]}}]'
    return repr(f'{profile},"rules":[{{"pattern":[],"profile":"_container_"}}]}}')


SMALL = (
    Vector(f"{NODES}: it is switched on", (NODES,), 0, {"seen:params": HOST_PARAMS.format(0).strip()}, host_params="1"),
    Vector(f"{NODES}: it is off already", (NODES,), 0, {"seen:params": HOST_PARAMS.format(0).strip()}, host_params="0"),
    Vector(f"{NODES}: no driver", (NODES,)),
    Vector(
        "update-application-profile: two GPUs",
        ("update-application-profile",),
        0,
        {PROFILES: _profile("0x9"), f"mode:{PROFILES}": "444"},
        {"/dev/nvidia0": 0, "/dev/nvidia3": 3},
    ),
    Vector(
        "update-application-profile: none",
        ("update-application-profile",),
        0,
        {PROFILES: "nothing"},
        {"/dev": "folder"},
    ),
    Vector(
        "update-application-profile: attack: its folder is a link out",
        ("update-application-profile",),
        1,
        {},
        {"/dev/nvidia0": 0, "/etc/nvidia": "->{outside}"},
        better=(0, {}),
        why=_WITHIN,
    ),
    Vector("chmod: a folder", ("chmod", "--mode", "700", "--path", "/a"), 0, {"mode:/a": "700"}, {"/a": "folder"}),
    Vector("chmod: what is not there", ("chmod", "--mode", "700", "--path", "/b"), 0, {"/b": "nothing"}),
    Vector(
        "chmod: a mode that is none",
        ("chmod", "--mode", "rwx", "--path", "/a"),
        1,
        {"mode:/a": "755"},
        {"/a": "folder"},
    ),
    Vector("chmod: nothing", ("chmod", "--mode", "700")),
    Vector("an unknown command", ("newer-hook",)),
    Vector("an unknown command with flags", ("newer-hook", "--strange=1", "-x")),
    Vector("no command", ()),
    Vector("an unknown flag", ("create-symlinks", "--strange"), 1),
    Vector("noop", ("noop",)),
)

VECTORS = (*LINKS, *LOADER, *COMPAT, *SMALL)
