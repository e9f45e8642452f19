"""All modules of the start path in one file, so that importing them is reading it.

The import system looks for each module in a folder, opens its file, checks and unmarshals it: 0.12 ms a module, where a
whole container start has 12. Here their code objects, less docstrings, lie in one marshalled document, and a finder of
a few lines hands them out. The file is named after the interpreter's cache tag: another interpreter does not find it,
and imports the modules from their sources beside it. ``linkspan install`` runs this file as a program, by that
interpreter, so it needs the standard library alone.
"""

import marshal
import os
import sys
from collections.abc import Iterator

BOOTSTRAP = '''
import sys
from _frozen_importlib import ModuleSpec

class Archive:
    """Hands out the modules of the start path."""
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in modules:
            is_package, origin, _ = modules[name]
            spec = ModuleSpec(name, Archive, origin=origin, is_package=is_package)
            spec.has_location = True
            return spec
    @staticmethod
    def create_module(spec):
        return None
    @staticmethod
    def exec_module(module):
        exec(loads(modules[module.__name__][2]), module.__dict__)

sys.meta_path.insert(0, Archive)
'''

OPENING = """\
import sys, marshal, gc
gc.disable()
sys.path.insert(0, {folder!r})
try:
    with open({folder!r} + "/start." + sys.implementation.cache_tag, "rb") as f: code, modules = marshal.load(f)
    exec(code, dict(modules=modules, loads=marshal.loads))
except OSError: pass
"""
"""What an interpreter runs first, once ``folder`` is filled in."""


def write(folder: str) -> None:
    """Write the archive of the package below ``folder`` beside it, for the interpreter that runs this."""
    data = marshal.dumps((compile(BOOTSTRAP, "<archive>", "exec"), dict(_modules(folder))))
    path = f"{folder}/start.{sys.implementation.cache_tag}"
    with open(f"{path}.new", "wb") as file:
        file.write(data)
    os.replace(f"{path}.new", path)


def _modules(folder: str) -> Iterator[tuple[str, tuple[bool, str, bytes]]]:
    # Of the package alone: its dependencies may lie beside it.
    for place, _, names in os.walk(f"{folder}/linkspan"):
        for name in sorted(names):
            if name.endswith(".py"):
                path = os.path.join(place, name)
                parts = os.path.relpath(path, folder).removesuffix(".py").split(os.sep)
                is_package = parts[-1] == "__init__"
                with open(path, "rb") as file:
                    code = compile(file.read(), path, "exec", dont_inherit=True, optimize=2)
                yield ".".join(parts[:-1] if is_package else parts), (is_package, path, marshal.dumps(code))


if __name__ == "__main__":
    write(sys.argv[1])
