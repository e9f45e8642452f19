"""The programs under test, and what is done with them.

    LINKSPAN_CONTRACT_RUNTIME   an OCI runtime wrapper, as nvidia-container-runtime is one
    LINKSPAN_CONTRACT_HOOK      a prestart hook, as nvidia-container-runtime-hook is one
    LINKSPAN_CONTRACT_CDI_HOOK  a hook of CDI specs, as nvidia-cdi-hook is one
    LINKSPAN_CONTRACT_CLI       a command line, as nvidia-container-cli is one

Without them they are linkspan's, installed below a folder of the test's. The host is a simulated one, in a folder too.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from tests.containers import RUNC_V1, Bundle, Outcome, Wrapper, new_bundle, run
from tests.contract.case import Program
from tests.rootfs import fresh_root
from tests.toolkit import Toolkit


class Programs:
    """A toolkit under test on a simulated host."""

    def __init__(self, toolkit: Toolkit, environment: Mapping[str, str]) -> None:
        place = toolkit.place
        self._toolkit = toolkit
        self._ours: dict[Program, str] = {
            "runtime": place.runtime,
            "hook": place.prestart,
            "cdi hook": place.cdi_hook,
            "cli": place.container_cli,
        }
        variables = {kind: f"LINKSPAN_CONTRACT_{kind.upper().replace(' ', '_')}" for kind in self._ours}
        self._paths = {kind: environment.get(variables[kind], path) for kind, path in self._ours.items()}

    @property
    def driver_root(self) -> str:
        """The root of the simulated host."""
        return self._toolkit.driver_root

    def path(self, kind: Program) -> str:
        """The program of this kind."""
        return self._paths[kind]

    def name(self, kind: Program) -> str:
        """What it is called."""
        return os.path.basename(self._paths[kind])

    def are_ours(self, kind: Program) -> bool:
        """Whether that program is linkspan's."""
        return self._paths[kind] == self._ours[kind]

    def has(self, kind: Program) -> bool:
        """Whether there is such a program."""
        return shutil.which(self._paths[kind]) is not None

    def wrapper(self, low_level: str = "/bin/true", *, mode: str = "auto", top: str = "") -> Wrapper:
        """The runtime in front of a low-level one, with a configuration of the test's own."""
        return Wrapper(self._paths["runtime"], self._toolkit.wrapper(low_level, mode=mode, top=top).env)

    def create(self, bundle: Bundle, *, mode: str = "auto", top: str = "") -> tuple[Outcome, dict[str, Any]]:
        """``create`` over a low-level runtime that does nothing: what came of it, and config.json afterwards."""
        outcome = self._toolkit.patch(bundle.write(), self.wrapper(mode=mode, top=top))
        with open(bundle.path, encoding="utf-8") as file:
            return outcome, json.load(file)

    def hooked(self, bundle: Bundle, *, mode: str = "auto", top: str = "") -> Bundle:
        """The bundle with the prestart hook, as Docker writes it."""
        settings = self._toolkit.wrapper("/bin/true", mode=mode, top=top).env
        env = [f"{key}={value}" for key, value in {"PATH": os.environ["PATH"], **settings}.items()]
        entry = {"path": self._paths["hook"], "args": [self._paths["hook"], "prestart"], "env": env}
        bundle.config["hooks"] = {"prestart": [entry]}
        return bundle

    def start(self, kind: Program, env: Sequence[str], command: Sequence[str]) -> Outcome:
        """A real container's life, given its GPUs by the runtime or by the prestart hook."""
        with fresh_root() as root, new_bundle(root, *command) as bundle:
            bundle.env(*env)
            if kind == "runtime":
                return run(RUNC_V1, bundle, self.wrapper(shutil.which("runc") or "runc"))
            return run(RUNC_V1, self.hooked(bundle))

    def cli(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run the command line for the simulated host."""
        return _run([self._paths["cli"], f"--root={self.driver_root}", *argv])

    def cdi_hook(self, folder: str, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run the hook of CDI specs for the bundle in a folder, with the state that a low-level runtime gives it."""
        with open(f"{folder}/config.json", "w", encoding="utf-8") as file:
            json.dump({"ociVersion": "1.0.2", "root": {"path": "rootfs"}}, file)
        state = {"ociVersion": "1.0.2", "id": "c", "status": "creating", "pid": 1, "bundle": folder}
        return _run([self._paths["cdi hook"], *argv], json.dumps(state), folder)


def _run(argv: list[str], state: str = "", folder: str = "/") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv, input=state, cwd=folder, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
