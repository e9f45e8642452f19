"""A root with an engine's files and programs, for the tests of ``linkspan engine``."""

import os

from linkspan.cli import main
from linkspan.engines.places import Host

OLD = '{\n  "log-driver": "journald"\n}\n'
PROGRAM = "/bin/true"


class Machine:
    """A root with an engine's files and programs, and the command at work on it."""

    def __init__(self, root, capsys):
        self.root, self._capsys = str(root), capsys
        self.env = {"PATH": f"{root}/bin", "HOME": f"{root}/home"}
        os.makedirs(f"{root}/bin")

    def host(self):
        return Host(root=self.root, env=self.env)

    def write(self, path, text, mode=0o644):
        os.makedirs(os.path.dirname(f"{self.root}/{path}"), exist_ok=True)
        with open(f"{self.root}/{path}", "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(file.name, mode)
        return file.name

    def program(self, name, script):
        log = f'echo "{name} $*" >>{self.root}/calls'
        self.write(f"bin/{name}", f"#!/bin/sh\nPATH=/usr/bin:/bin\n{log}\n{script}\n", 0o755)

    def calls(self):
        return self.read("calls").splitlines() if os.path.exists(f"{self.root}/calls") else []

    def read(self, path):
        with open(f"{self.root}/{path}", encoding="utf-8") as file:
            return file.read()

    def run(self, *argv):
        code = main.run(["engine", *argv])
        said = self._capsys.readouterr()
        return code, said.out, said.err

    def configure(self, name, *options):
        return self.run("configure", name, "--runtime-path", PROGRAM, *options)
