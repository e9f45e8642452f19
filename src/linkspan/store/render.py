"""The full program behind the start path: makes the edits that a container start did not find.

``python -I -m linkspan.store.render`` reads a config.json from its standard input and answers with one JSON document:
``switches`` and ``edits``, or ``error``. Both are kept in the state folder, so that the next container that asks for
the same is served without this program.
"""

import sys
from typing import Any

import msgspec

from linkspan.errors import LinkspanError
from linkspan.formats import fastjson, oci
from linkspan.store import answer, state


class Arguments(msgspec.Struct, frozen=True):
    """What the start path says: the state folder, the configuration file and the engine's PATH."""

    state_dir: str
    config: str
    search_path: str


def main(argv: list[str]) -> int:
    """Answer on standard output; 0, or 1 where the answer is an error."""
    try:
        document = render(_arguments(argv), sys.stdin.buffer.read())
    except LinkspanError as error:
        document = {"error": {"message": error.message, "hint": error.hint, "code": error.code}}
    sys.stdout.write(fastjson.dumps(document))
    return 1 if "error" in document else 0


def _arguments(argv: list[str]) -> Arguments:
    given = dict(zip(argv[::2], argv[1::2], strict=True))
    return Arguments(given["--state-dir"], given["--config"], given["--search-path"])


def render(arguments: Arguments, config_json: bytes) -> dict[str, Any]:
    """The switches for the start path and the edits for one config.json, both also kept in the state folder."""
    settings = answer.read_settings(arguments.config)
    switches = state.switches(settings, arguments.config, arguments.search_path)
    state.keep_switches(arguments.state_dir, switches)
    view = oci.request_view(
        fastjson.loads(config_json.decode()), switches["env_names"], switches["annotation_prefixes"]
    )
    facts = state.current_facts(arguments.state_dir, settings)
    made = answer.edits_for(view, facts, settings)
    state.keep_edits(arguments.state_dir, view, switches, made)
    return {"switches": switches, "edits": made.edits}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
