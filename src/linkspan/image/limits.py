"""How much of an image is read: an image comes from strangers, and a few kilobytes of it can claim to be anything.

Whatever is over a limit is refused in a sentence, or left out in one; nothing is guessed.
"""

DOCUMENT = 8 << 20
"""Bytes of an index, manifest or configuration; the largest known configurations have some 100 KiB."""
NESTING = 4
"""Indexes within indexes; real images have two."""
LAYERS = 1024
"""Docker stops at 127."""
ENTRIES = 500_000
"""Paths of an image, in all layers; the largest images of frameworks have some 250,000."""
UNPACKED = 256 << 30
"""Bytes of a layer, unpacked."""
RATIO, RATIO_FROM = 250, 512 << 20
"""How often its own size a layer may unpack to, once it is larger than RATIO_FROM; real ones stay below 20."""
WINDOW = 64 << 20
"""Bytes that zstd may ask for to look back into; builders use 8 MiB."""
HEADERS = 1 << 20
"""Bytes of the extended header of one path."""
DEPTH = 256
"""Folders within folders of a root file system that is read as it stands; the deepest real ones have some 30."""
PATH = 4096
NAME = 255
"""PATH_MAX and NAME_MAX of Linux: what is longer can be in no container."""
FILE = 16 << 40
"""Bytes of a file; what ext4 can hold."""
HEAD = 64
"""Bytes of a file that are kept as its head."""
TEXT = 16 << 20
"""Bytes of a text; the status file of dpkg has some 5 MiB on a large image."""
TEXTS = 48 << 20
"""Bytes of all texts of a layer."""
IN_MEMORY = 2 << 20
"""An ELF file above this size is looked at in a temporary file."""
REFUSALS = 50
"""Sentences on one layer; what is more is counted."""
ARCHIVE_MEMBERS = 20_000
"""Members of an archive that holds images: a few for each layer."""
