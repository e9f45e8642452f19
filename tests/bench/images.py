"""``make bench``, of images: how fast ``linkspan image check`` reads one, beside what ``gzip -dc`` alone takes for it.

The image has five layers of a gigabyte each, packed by gzip as builders do, of libraries and programs of this machine.
Each figure is the best of a few rounds, all in one run: the first reading with an empty cache on one core and on all,
then a second one from the cache of layers.
"""

import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from tests import debian
from tests.unit.image import writer

LAYERS = 5
LAYER_BYTES = 1 << 30
ROUNDS = 3
FOLDERS = ("/usr/lib", "/usr/bin", "/usr/share")
PAGE = "docs/benchmarks/images.md"
SHARE, MEMORY_MB, SECOND_S = 0.8, 200, 1.0
"""What is asked: a share of gzip's speed on one core, a bound of memory, and of time for a second run."""


def image() -> str:
    """The layout of the image, made once and kept."""

    def build(folder: str) -> None:
        files = list(_files())
        with ThreadPoolExecutor(2) as pool:  # gzip is a process of its own
            layers = list(pool.map(lambda number: _layer(folder, files, number), range(LAYERS)))
        _describe(folder, layers)

    return debian.cached("bench-image", (LAYERS, LAYER_BYTES, 2), build)


def _files() -> Iterator[tuple[str, int]]:
    for top in FOLDERS:
        for folder, _, names in os.walk(top):
            for name in sorted(names):
                path = f"{folder}/{name}"
                if os.path.isfile(path) and not os.path.islink(path):
                    yield path, os.path.getsize(path)


def _layer(folder: str, files: list[tuple[str, int]], number: int) -> tuple[str, str, int]:
    """A layer, whose files are this machine's, each layer's in a folder of its own; digest, diff id and size."""
    place = f"{folder}/{number}.tar.gz"
    seen = hashlib.sha256()
    with open(place, "wb") as out:
        packing = subprocess.Popen(["gzip", "-6", "-c"], stdin=subprocess.PIPE, stdout=out)
        assert packing.stdin
        for chunk in _tar(files, number):
            seen.update(chunk)
            packing.stdin.write(chunk)
        packing.stdin.close()
        packing.wait()
    with open(place, "rb") as packed:
        digest = hashlib.file_digest(packed, "sha256").hexdigest()
    os.makedirs(f"{folder}/blobs/sha256", exist_ok=True)
    os.rename(place, f"{folder}/blobs/sha256/{digest}")
    return f"sha256:{digest}", f"sha256:{seen.hexdigest()}", os.path.getsize(f"{folder}/blobs/sha256/{digest}")


def _tar(files: list[tuple[str, int]], number: int) -> Iterator[bytes]:
    done = turn = 0
    while done < LAYER_BYTES:
        turn += 1
        for path, size in files:
            member = tarfile.TarInfo(f"layer{number}/{turn}{path}")
            member.size = size
            yield member.tobuf()
            with open(path, "rb") as file:
                yield from iter(lambda: file.read(1 << 20), b"")  # it is read to its end before the next
            yield b"\0" * (-size % 512)
            done += size + 1024
            if done >= LAYER_BYTES:
                break
    yield b"\0" * 1024


def _describe(folder: str, layers: list[tuple[str, str, int]]) -> None:
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Env": ["PATH=/usr/bin"]},
            "rootfs": {"type": "layers", "diff_ids": [diff_id for _, diff_id, _ in layers]},
        }
    ).encode()
    media_type = "application/vnd.oci.image.layer.v1.tar+gzip"
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "config": writer.descriptor(config, "application/vnd.oci.image.config.v1+json"),
            "layers": [{"mediaType": media_type, "digest": digest, "size": size} for digest, _, size in layers],
        }
    ).encode()
    index = writer.index(writer.descriptor(manifest))
    files = {writer.blob_name(data): data for data in (config, manifest)}
    writer.write_folder(folder, {**files, "oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "index.json": index})


def gzip_alone(layout: str) -> float:
    """Seconds that ``gzip -dc`` takes for all layers, on one core."""
    blobs = [f"{layout}/blobs/sha256/{name}" for name in os.listdir(f"{layout}/blobs/sha256")]
    large = [path for path in blobs if os.path.getsize(path) > 1 << 20]
    return _best(lambda: _timed(["taskset", "-c", "0", "gzip", "-dc", *large]))


def checked(layout: str, cache: str, *, cores: str) -> tuple[float, int]:
    """Seconds and peak memory (MiB) of one check of the image."""
    command = [
        "taskset",
        "-c",
        cores,
        sys.executable,
        "-m",
        "linkspan",
        "image",
        "check",
        layout,
        "--fail-on",
        "critical",
    ]
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    seconds = _timed(command, XDG_CACHE_HOME=cache)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return seconds, max(before, peak) >> 10


def _timed(command: list[str], **env: str) -> float:
    began = time.monotonic()
    with open(os.devnull, "wb") as nothing:
        done = subprocess.run(command, stdout=nothing, env={**os.environ, **env}, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[3:6]} ended with {done.returncode}")
    return time.monotonic() - began


def _best(measure: Callable[[], float]) -> float:
    return min(measure() for _ in range(ROUNDS))


def main() -> int:
    """Measure, print, and write the page."""
    layout = image()
    bound = os.cpu_count() or 1
    one, every, memory = [], [], 0
    for _ in range(ROUNDS):
        for cores, times in (("0", one), (f"0-{bound - 1}", every)):
            with tempfile.TemporaryDirectory() as cache:
                seconds, peak = checked(layout, cache, cores=cores)
                times.append(seconds)
                memory = max(memory, peak)
    with tempfile.TemporaryDirectory() as cache:
        checked(layout, cache, cores=f"0-{bound - 1}")
        second = _best(lambda: checked(layout, cache, cores=f"0-{bound - 1}")[0])
    text = _page(Figures(gzip_alone(layout), min(one), min(every), second, memory, bound))
    sys.stdout.write(text)
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(text)
    return 0


class Figures(NamedTuple):
    """Seconds of each reading, and the peak memory of a process in MiB."""

    alone: float
    one: float
    every: float
    second: float
    memory: int
    cores: int


def _page(found: Figures) -> str:
    one, every = found.alone / found.one, found.alone / found.every
    rows = [
        ("`gzip -dc` alone, one core", f"{found.alone:.1f}", "1.00", ""),
        ("`image check`, one core", f"{found.one:.1f}", f"{one:.2f}", f"at least {SHARE} {_kept(one >= SHARE)}"),
        (f"`image check`, {found.cores} cores", f"{found.every:.1f}", f"{every:.2f}", f"over 1 {_kept(every > 1)}"),
        ("`image check` again", f"{found.second:.2f}", "", f"under {SECOND_S:.0f} s {_kept(found.second < SECOND_S)}"),
    ]
    about = " ".join((__doc__ or "").split("\n\n")[1].split())
    head = f"| {LAYERS * LAYER_BYTES / 1e9:.1f} GB in {LAYERS} gzip layers | seconds | speed of gzip | asked |"
    lines = ["# Reading an image", "", f"Written by `make bench`. {about}", "", head, "| :-- | --: | --: | --: |"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    kept = _kept(found.memory < MEMORY_MB)
    lines += ["", f"Peak memory of a process: {found.memory} MiB (asked: under {MEMORY_MB}, {kept})."]
    return "\n".join(lines) + "\n"


def _kept(holds: bool) -> str:
    return "kept" if holds else "missed"


if __name__ == "__main__":
    if not shutil.which("taskset"):
        sys.stderr.write("bench: taskset is not installed\n")
        sys.exit(3)
    sys.exit(main())
