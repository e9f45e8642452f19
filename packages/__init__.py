"""Makes the .deb, the .rpm and the archive for machines without a package index: ``python -m packages FOLDER``."""
