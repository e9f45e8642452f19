"""``python -I -m linkspan.runtime``: the wrapper where no launcher of ``linkspan install`` stands in front of it."""

import os
import sys

from linkspan.formats import state
from linkspan.runtime.wrapper import Setup, main

HOOK = os.path.join(os.path.dirname(sys.executable), "linkspan-hook")

main(Setup(state.FOLDER, HOOK, [sys.executable, "-I", "-m", "linkspan.store.render"]), sys.argv[1:])
