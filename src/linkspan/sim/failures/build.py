"""Failures of image builds."""

from linkspan.sim.failing import Failure
from linkspan.sim.failures.compose import project
from linkspan.sim.machine import Machine

_COMPOSE = """\
services:
  llm:
    build: ./llm
    deploy:
      resources:
        reservations:
          devices: [{driver: nvidia, count: all, capabilities: [gpu]}]
"""
_DOCKERFILE = """\
FROM nvidia/cuda:12.4.1-devel-ubuntu22.04
# make sure that the GPU is there
RUN apt-get update && \\
    nvidia-smi && \\
    make
"""


def _gpu_in_a_build_step(machine: Machine) -> None:
    machine.write("/srv/chat/llm/Dockerfile", _DOCKERFILE)
    project(machine, _COMPOSE, 4701)


FAILURES = {"D-BUILD-1": Failure("a build step runs nvidia-smi", _gpu_in_a_build_step)}
