"""Places containers on a host with linkspan as a library, without touching the host: facts in, config.json out.

    python examples/scheduler.py FACTS.json

FACTS.json is what 'linkspan facts --save' wrote on the host in question. Each container takes the first free device.
"""

import json
import sys

import linkspan

CONFIG = {
    "ociVersion": "1.0.2",
    "process": {"env": ["PATH=/usr/bin"], "args": ["nvidia-smi", "-L"], "cwd": "/", "user": {"uid": 0, "gid": 0}},
    "root": {"path": "rootfs"},
    "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
    "linux": {"namespaces": [{"type": "mount"}], "resources": {"devices": [{"allow": False, "access": "rwm"}]}},
}


def main(path: str) -> int:
    """Place two containers of one device each, and show what each is given."""
    facts = linkspan.load_facts(path)
    free = linkspan.devices(facts)
    for name in ("training", "inference"):
        if not free:
            print(f"{name}: no device is left")
            continue
        device = free.pop(0)
        request = linkspan.request(device["id"], capabilities=["compute", "utility"], source=name)
        config = linkspan.inject(CONFIG, request, facts)
        nodes = [node["path"] for node in config["linux"]["devices"]]
        print(f"{name}: {device['name']} ({device['uuid']}), {len(config['mounts']) - 1} mounts")
        print(json.dumps(nodes))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except linkspan.LinkspanError as error:
        sys.exit(f"scheduler: {error}")
