"""The CDI spec of a simulated host with engines, made the way ``cdi refresh`` makes it on a real one."""

import json

from linkspan.emit import cdi
from linkspan.errors import DeviceNotFound, HostError
from linkspan.facts import snapshot
from linkspan.facts.host import Search
from linkspan.plan.cdi import CdiOptions, plan_cdi
from linkspan.sim.machine import Machine

PATH = "/var/run/cdi/nvidia.json"
HOOK = "/usr/local/bin/linkspan-hook"


def finish(machine: Machine) -> None:
    """Write the spec, if there is anything to describe, and let all files be as old as the host."""
    facts = snapshot.collect(Search(root=machine.root))
    try:
        document = cdi.document(plan_cdi(facts, CdiOptions()), HOOK)
    except (HostError, DeviceNotFound):
        document = {}
    if document:
        # As on that host: its root is "/" there.
        machine.write(PATH, json.dumps(document, indent=2).replace(machine.root, "") + "\n")
    machine.age()
