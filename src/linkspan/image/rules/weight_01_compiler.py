"""Compilers and build tools in an image that is to run something."""

import re
from collections.abc import Iterator

from linkspan.image.compilers import needs_c, needs_nvcc
from linkspan.image.layers import called, each_layer
from linkspan.image.model import Entry, Image
from linkspan.image.registry import Broken, Rule, Target

_ARCH = r"(x86_64|aarch64)(-[a-z]+)*-"
_C = re.compile(rf"({_ARCH})?(gcc|cc|cpp)(-\d+)?|cc1|collect2|lto1|lto-wrapper")
_CXX = re.compile(rf"({_ARCH})?(g\+\+|c\+\+)(-\d+)?|cc1plus|ninja|ninja-build")
_OTHER = re.compile(
    r"clang(\+\+)?(-\d+)?|g?make|cmake|meson|bazel|rustc|cargo|gfortran(-\d+)?|f951|bison|flex|autoconf"
)
_FOLDER = re.compile(
    r"(/usr(/local)?)?/(s?bin|lib/gcc/.+|libexec/gcc/.+|lib/llvm-\d+/bin)|/opt/(mini)?conda[^/]*/bin|/root/\.cargo/bin"
)
_FIX = "compile in a stage of its own (FROM nvidia/cuda:…-devel-… AS build), and COPY --from=build what is to run"


def _look(image: Image, _: Target) -> Iterator[Broken]:
    wanted = [_OTHER, *([] if needs_nvcc(image) else [_CXX]), *([] if needs_c(image) else [_C])]
    found = (entry for pattern in wanted for entry in called(image, pattern) if _is_tool(entry))
    yield from each_layer(found, "compilers and build tools are in the image: {names} ({bytes})", _FIX)


def _is_tool(entry: Entry) -> bool:
    runs = entry.kind == "file" and entry.size > 0 and bool(entry.mode & 0o111) and not entry.head.startswith(b"#!")
    return runs and bool(_FOLDER.fullmatch(entry.folder))


RULE = Rule(
    id="I-WEIGHT-1",
    title="compilers in the image",
    area="weight",
    severity="warning",
    why="They are hundreds of megabytes that each pull pays for, and help whoever breaks in.",
    look=_look,
)
