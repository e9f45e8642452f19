"""Prints the picture of docs/how-to/draw-the-chain.md: ``python -m tests.unit.explain.example >docs/chain.svg``."""

import sys

from linkspan.explain import svg
from tests.unit.explain import chains

if __name__ == "__main__":
    sys.stdout.write(svg.render(chains.BROKEN))
