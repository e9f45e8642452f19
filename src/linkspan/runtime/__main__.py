"""``python -I -m linkspan.runtime``: the wrapper where no launcher of ``linkspan install`` stands in front of it."""

import os
import sys

from linkspan._version import __version__
from linkspan.formats import state
from linkspan.runtime.lookup import Setup
from linkspan.runtime.wrapper import main

HOOK = os.path.join(os.path.dirname(sys.executable), "linkspan-hook")

if {"-version", "--version"}.intersection(sys.argv):
    # As the launcher says it; the low-level runtime's own lines follow (contract 2.1).
    sys.stdout.write(f"linkspan-runtime version {__version__}\nspec: 1.3.0\n\n")
    sys.stdout.flush()
main(Setup(state.FOLDER, HOOK, [sys.executable, "-I", "-m", "linkspan.store.render"]), sys.argv[1:])
