"""CUDA upon musl: NVIDIA's libraries are made for glibc."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack
from linkspan.plan.sources import VISIBLE_DEVICES

_GLIBC_BYTES = 10**6
"""glibc's libc.so.6 has about two megabytes; what stands in for it upon musl is a small library or a link."""


def _look(image: Image, _: Target) -> Iterator[Broken]:
    loaders = [entry for path, entry in image.entries.items() if path.startswith("/lib/ld-musl-")]
    wants = stack(image).uses_cuda or image.config.variables.get(VISIBLE_DEVICES, "void") not in ("", "void")
    if loaders and wants and not _has_glibc(image):
        yield Broken(
            cause="the image wants GPUs, and its C library is musl",
            fix="FROM debian:trixie-slim, ubuntu:24.04 or nvidia/cuda:…-base-…: there is no driver for musl",
            paths=tuple(entry.path for entry in loaders),
        )


def _has_glibc(image: Image) -> bool:
    found = image.by_name.get("libc.so.6", [])
    return any(entry.kind == "file" and entry.size >= _GLIBC_BYTES for entry in found)


RULE = Rule(
    id="I-BASE-7",
    title="a musl base for a GPU image",
    area="base",
    severity="error",
    why="The driver that is put into the container needs glibc: neither nvidia-smi nor a wheel with CUDA starts.",
    look=_look,
)
