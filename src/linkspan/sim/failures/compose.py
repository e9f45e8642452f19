"""Failures in compose files, and of what Swarm gives a service."""

from linkspan.sim.failing import Failure
from linkspan.sim.guests import kept_by_docker
from linkspan.sim.machine import RECENTLY, Machine
from linkspan.sim.processes import container

_FOLDER = "/srv/chat"
_INDENTED_WRONG = """\
services:
  llm:
    image: ollama/ollama
    deploy:
      resources:
        reservations:
          devices:
            - driver: nvidia
              count: 1
            - capabilities: [gpu]
"""


def project(machine: Machine, compose: str, number: int) -> None:
    """A compose project that runs, with its file beside it."""
    machine.write(f"{_FOLDER}/compose.yaml", compose)
    labels = {
        "com.docker.compose.project": "chat",
        "com.docker.compose.project.config_files": f"{_FOLDER}/compose.yaml",
        "com.docker.compose.project.working_dir": _FOLDER,
        "com.docker.compose.service": "llm",
    }
    kept_by_docker(machine, number, "chat-llm-1", argv=("serve",), labels=labels, running=True)


def _reservation_in_two_items(machine: Machine) -> None:
    project(machine, _INDENTED_WRONG, 4601)
    machine.put(container(4601, argv=("/bin/ollama", "serve")), RECENTLY)


def _swarm_variable_not_read(machine: Machine) -> None:
    uuid = "GPU-01000100-0000-0000-0000-000000000000"
    machine.put(container(4602, argv=("render",), env={"DOCKER_RESOURCE_GPU": uuid}), RECENTLY)


FAILURES = {
    "D-COMPOSE-1": Failure("driver and capabilities are two items of a list", _reservation_in_two_items),
    "D-COMPOSE-2": Failure("Swarm gave a GPU by a variable that is not read", _swarm_variable_not_read),
}
