"""The launcher for tests: compiled with the sanitizers, and with programs behind it that say that they were started."""

import functools
import glob
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from linkspan._version import __version__
from linkspan.formats import fastjson, oci, record, state
from linkspan.kernel import stamps
from linkspan.runtime import keep, patch, rootfs
from linkspan.runtime.lookup import Found

SOURCES = "src/linkspan/runtime/native"
SANITIZED = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
ENV_NAMES = ["DOCKER_RESOURCE_GPU"]
PREFIXES = ["cdi.k8s.io/"]


@functools.cache
def launcher() -> bytes:
    """The launcher as a program that stops at the first wrong step of its memory."""
    if not shutil.which("gcc"):
        pytest.skip("gcc, which builds the launcher with its sanitizers, is not installed")
    with tempfile.TemporaryDirectory() as folder:
        command = ["gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", *SANITIZED, "-o", f"{folder}/launcher"]
        done = subprocess.run(
            [*command, *glob.glob(f"{SOURCES}/*.c")], capture_output=True, text=True, timeout=120, check=False
        )
        if "cannot find" in done.stderr:
            pytest.skip("the sanitizers' libraries are not installed")
        assert done.returncode == 0, done.stderr
        return Path(f"{folder}/launcher").read_bytes()


class Native:
    """An installed launcher, its state folder, and a bundle; what is behind it only says its name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = str(folder / "state")
        self.config = str(folder / "config.toml")
        self.bundle = folder / "bundle"
        self.path = self.bundle / "config.json"
        for path in ("bundle/rootfs", "bin", "lib/linkspan", "state"):
            os.makedirs(folder / path)
        self.hook = str(folder / "bin/linkspan-hook")
        for role in ("runtime", "hook"):
            self._install(role)
        self.mark()

    def _install(self, role: str) -> None:
        python, program = self._script("python"), self.folder / f"bin/linkspan-{role}"
        fields = [python, "code", role, __version__, self.state, self.hook]
        (self.folder / f"lib/linkspan/linkspan-{role}.start").write_bytes(
            b"".join(f"{one}\0".encode() for one in fields)
        )
        program.write_bytes(launcher())
        program.chmod(0o755)

    def _script(self, name: str) -> str:
        path = self.folder / name
        if not path.exists():
            path.write_text(f"#!/bin/sh\necho {name}\n")
            path.chmod(0o755)
        return str(path)

    def mark(self, words: tuple[str, ...] = ("NVIDIA_", "cdi.k8s.io", "DOCKER_RESOURCE_GPU")) -> None:
        """What the full program leaves the launcher."""
        self.switches: dict[str, Any] = {
            "config": self.config,
            "path": os.defpath,
            "stamps": [["file", self.config, stamps.take("file", self.config)]],
            "low_level": self._script("runc"),
            "every": False,
            "request_words": list(words),
            "env_names": ENV_NAMES,
            "annotation_prefixes": PREFIXES,
        }
        file = Path(self.state, "settings", state.caller_name(self.config, os.defpath))
        file.parent.mkdir(exist_ok=True)
        file.write_text(state.settings_text(self.switches))

    def keep(self, spec: dict[str, Any], edits: dict[str, Any], stamps: tuple[list[str], ...] = ()) -> bytes | None:
        """Keep edits as the wrapper does for a container that asks as this specification does; the request's text."""
        view = oci.request_view(spec, ENV_NAMES, PREFIXES)
        written = rootfs.written(edits.get("prepare") or {})
        keep.keep_edits(self.state, Found(self.switches, view, edits, list(stamps)), self.hook, written)
        return record.request_text((self.config, state.config_stamp(self.switches)), view)

    def create(self, text: str | bytes) -> bool:
        """Write a config.json and call ``create``: True where the launcher did it, False where it left it to Python."""
        self.path.write_bytes(text.encode() if isinstance(text, str) else text)
        return self.run("runtime", "create", "--bundle", str(self.bundle), "c1") == "runc"

    def prepare(self, root: Path, *arguments: str) -> bool:
        """Run the hook for a root: True where the launcher did it."""
        self.path.write_text(json.dumps({"root": {"path": str(root)}}))
        given = json.dumps({"ociVersion": "1.0.2", "id": "c1", "status": "creating", "bundle": str(self.bundle)})
        return self.run("hook", "create-container", *arguments, given=given) == ""

    def run(self, role: str, *arguments: str, given: str = "") -> str:
        """The launcher's own output, or the name of the program that it went on to."""
        done = subprocess.run(
            [str(self.folder / f"bin/linkspan-{role}"), *arguments],
            env={"PATH": os.defpath, "NVIDIA_CTK_CONFIG_FILE_PATH": self.config, "ASAN_OPTIONS": "detect_leaks=0"},
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout.strip()

    @property
    def spec(self) -> dict[str, Any]:
        """The config.json as it is now."""
        return dict(json.loads(self.path.read_bytes()))


def edited(spec: dict[str, Any], edits: dict[str, Any]) -> dict[str, Any]:
    """What Python makes of the same."""
    copy: dict[str, Any] = fastjson.loads(json.dumps(spec))
    patch.apply(copy, edits)
    return copy
