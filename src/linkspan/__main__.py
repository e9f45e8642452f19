"""``python -m linkspan``."""

from linkspan.cli.main import main

main()
