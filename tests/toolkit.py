"""linkspan's start path, installed below a folder of the test's own, with a config.toml of the test's own.

The program under test is ours, unless LINKSPAN_TEST_RUNTIME names another OCI runtime wrapper of the same contract.
"""

import os
import shutil
import subprocess
import sys
from typing import Any

from ruamel.yaml import YAML

from linkspan.store import launchers
from tests.containers import Bundle, Container, Outcome, Runtime, Wrapper
from tests.debian import UnavailableError

CONFIG = """\
{top}
[nvidia-container-cli]
root = "{root}"
[nvidia-container-runtime]
runtimes = ["{low_level}"]
mode = "{mode}"
[nvidia-container-runtime.modes.cdi]
spec-dirs = ["{folder}/cdi"]
"""


class Toolkit:
    """The installed start path for one driver root; its state, settings and CDI specs are below ``folder``."""

    def __init__(self, folder: str, driver_root: str) -> None:
        self.folder = folder
        self.driver_root = driver_root
        self.place = launchers.Place(prefix=f"{folder}/prefix", state=f"{folder}/state")
        launchers.install(self.place)
        os.makedirs(f"{folder}/cdi", exist_ok=True)

    @property
    def hook(self) -> str:
        """The hook's launcher."""
        return self.place.hook

    @property
    def spec(self) -> str:
        """Where CDI specs of this toolkit are looked for."""
        return f"{self.folder}/cdi/nvidia.yaml"

    def wrapper(self, low_level: str, *, mode: str = "auto", top: str = "", raw: str | None = None) -> Wrapper:
        """The wrapper in front of a low-level runtime; ``top`` are lines of config.toml, ``raw`` is all of it."""
        number = len(os.listdir(self.folder))
        path = f"{self.folder}/config-{number}.toml"
        text = CONFIG.format(top=top, root=self.driver_root, low_level=low_level, mode=mode, folder=self.folder)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text if raw is None else raw)
        program = os.environ.get("LINKSPAN_TEST_RUNTIME", self.place.runtime)
        return Wrapper(program, {"NVIDIA_CTK_CONFIG_FILE_PATH": path})

    def over(self, runtime: Runtime, *, mode: str = "auto", top: str = "") -> Wrapper:
        """The wrapper in front of a real runtime."""
        program = shutil.which(runtime.program)
        if not program:
            raise UnavailableError(f"{runtime.program} is not installed")
        return self.wrapper(program, mode=mode, top=top)

    def patch(self, bundle: Bundle, wrapper: Wrapper | None = None) -> Outcome:
        """Run ``create`` over a low-level runtime that does nothing: config.json is left as the wrapper made it."""
        wrapper = wrapper or self.wrapper("/bin/true")
        container = Container(Runtime("none", "true"), bundle, wrapper)
        done = subprocess.run(
            container.argv("create", "--bundle", bundle.folder),
            env={"PATH": os.defpath, **wrapper.env},
            cwd=bundle.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Outcome(done.returncode, None, done.stdout, done.stderr)

    def generate(self) -> dict[str, Any]:
        """Write our CDI spec of the host where specs are looked for; its content."""
        where = ("--driver-root", self.driver_root, "--output", self.spec, "--hook-path", self.hook)
        done = self.linkspan("cdi", "generate", *where)
        assert done.returncode == 0, done.stderr
        with open(self.spec, encoding="utf-8") as file:
            return dict(YAML(typ="safe").load(file))

    def linkspan(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run the command ``linkspan``."""
        argv = [sys.executable, "-m", "linkspan", *arguments]
        settings = {"PATH": os.environ["PATH"], "NO_COLOR": "1", "COLUMNS": "200", **env}
        return subprocess.run(
            argv, env=settings, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False
        )

    def forget(self) -> None:
        """Put the state back to what it is before a first start."""
        shutil.rmtree(self.place.state, ignore_errors=True)
