"""A host whose programs are made up: they change a tree as the real ones change a system.

The commands of a plan are run by a real shell with a PATH that has nothing but these programs, so that nothing of the
machine's own is reached.
"""

import os
import sys

from linkspan.setup import apply, look, plan
from linkspan.setup.apply import Run
from linkspan.setup.journal import Journal
from tests.unit.setup import trees

PROGRAM = f"{os.path.dirname(os.path.abspath(__file__))}/made_up_program.py"
NAMES = (
    *("apt-get", "dpkg", "tee", "rm", "update-initramfs", "modprobe", "systemctl", "nvidia-modprobe", "linkspan"),
    *("mokutil", "dkms"),
)


class FakeHost:
    """A tree, its made-up programs, and the run of a plan on it."""

    def __init__(self, folder, *parts):
        self._take(str(folder))
        trees.put(self.tree, *(parts or (trees.tree("debian-12"),)))
        os.makedirs(f"{folder}/bin")
        with open(PROGRAM, encoding="utf-8") as file:
            program = f"#!{sys.executable} -I\n{file.read()}"
        for name in NAMES:
            self._write(f"bin/{name}", program, 0o755)

    @classmethod
    def at(cls, folder):
        """The host that another process has made in a folder."""
        host = cls.__new__(cls)
        host._take(folder)
        return host

    def _take(self, folder):
        self.top, self.tree = folder, f"{folder}/tree"
        self.said = []
        self.journal = Journal(f"{folder}/state")
        self.run = Run(look=self.plan, journal=self.journal, tell=self.said.append, env={"PATH": f"{folder}/bin"})

    def _write(self, name, text, mode=0o644):
        with open(f"{self.top}/{name}", "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(file.name, mode)

    def plan(self):
        return plan.make(look.at(self.tree))

    def apply(self, *, only=(), skip=("doctor",)):
        return apply.carry_out(self.run, apply.Choice(only, skip))

    def undo(self, *, only=(), skip=()):
        return apply.take_back(self.run, apply.Choice(only, skip))

    def tell(self, what, line):
        """Have the programs fail at, or hang in, the command that has this in it; nothing for none."""
        self._write(what, line)

    def calls(self):
        path = f"{self.top}/calls"
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            return file.read().splitlines()

    def files(self):
        found = {}
        for folder, _, names in os.walk(self.tree):
            for name in names:
                with open(f"{folder}/{name}", "rb") as file:
                    found[f"{folder}/{name}"] = file.read()
        return found

    def states(self):
        return {step.key: step.state for step in self.plan().steps}
