"""The full program behind the start path: makes the edits that a container start did not find.

Started as ``launchers.full_program`` says, it reads a config.json from its standard input and answers with one JSON
document: ``switches``, ``edits`` and their ``stamps``, or ``error``. All of it is kept in the state folder, so that the
next container that asks for the same is served without this program.
"""

import sys
from typing import Any

from linkspan.errors import LinkspanError
from linkspan.formats import fastjson, oci
from linkspan.formats.state import WRAPPER, edits_name
from linkspan.store import state
from linkspan.store.answer import answer


def main(argv: list[str]) -> int:
    """Answer on standard output; 0, or 1 where the answer is an error."""
    given = dict(zip(argv[::2], argv[1::2], strict=True))
    try:
        config_json = sys.stdin.buffer.read()
        paths = (given["--state-dir"], given["--config"], given["--search-path"])
        document = render(*paths, config_json, given["--caller"])
    except LinkspanError as error:
        document = {"error": {"message": error.message, "hint": error.hint, "code": error.code}}
    sys.stdout.write(fastjson.dumps(document))
    return 1 if "error" in document else 0


def render(
    folder: str, config_path: str, search_path: str, config_json: bytes, caller: str = WRAPPER
) -> dict[str, Any]:
    """The switches for the start path and the edits for one config.json, both also kept in the state folder."""
    config, stamp = state.read_config(config_path)
    switches = state.switches(config, stamp, search_path, need_runtime=caller == WRAPPER)
    state.keep_switches(folder, switches)
    spec = fastjson.loads(config_json.decode())
    view = oci.request_view(spec, switches["env_names"], switches["annotation_prefixes"])
    found = answer(view, config, search_path, lambda search: state.current_facts(folder, search), caller)
    state.keep_edits(folder, edits_name(view, switches, caller), found.edits, found.stamps)
    return {"switches": switches, "edits": found.edits, "stamps": found.stamps}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
