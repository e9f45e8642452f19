"""The names in the state folder, shared by the start path, which reads there, and the full program, which writes.

facts.json        the facts that specs and edits are made from
switches.json     what of the configuration the start path needs
low-level         the low-level runtime, for the launcher: four lines (``low_level_text``)
edits/KEY.json    the edits for one request, with the stamps of the host that they were made for
"""

from _blake2 import blake2b

from linkspan.formats import fastjson

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

VERSION = 1
"""Of the documents in the folder; raised whenever an older one would be misread."""

FOLDER = "/run/linkspan"
"""Gone at boot, as are the device numbers that its documents speak of."""


def edits_name(view: "dict[str, Any]", switches: "dict[str, Any]") -> str:
    """The file, below the folder, that holds the edits for a request view under these switches.

    A digest of everything that decides the edits but the host itself, so nothing is ever looked up that another
    configuration or another request made.
    """
    text = fastjson.dumps([VERSION, switches["config"], switches["stamps"], view])
    return f"edits/{blake2b(text.encode(), digest_size=16).hexdigest()}.json"


def low_level_text(config: str, search_path: str, low_level: str, config_exists: bool) -> str:
    """The lines of ``low-level``: for which configuration file and PATH it holds, whether that file was there, and it.

    The file's own modification time is set to the configuration's, so that a shell can see with ``-nt`` and no process
    that the two still belong together.
    """
    return "\n".join([config, search_path, "present" if config_exists else "absent", low_level, ""])
