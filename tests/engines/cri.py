"""What a kubelet asks of a container runtime: a small client of Kubernetes' CRI, version 1.

Field numbers are those of the interface's own api.proto. gRPC does the transport; the messages are made by hand.
"""

import contextlib
import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence

import grpc

from tests.engines import protobuf
from tests.engines.protobuf import Fields

CALL_S = 30.0
POD_NAMESPACE, NODE_NAMESPACE = 0, 2
_numbers = itertools.count(1)


@dataclasses.dataclass(frozen=True)
class Pod:
    """A running sandbox."""

    id: str
    config: Fields


class Cri:
    """A connection to a runtime's socket."""

    def __init__(self, socket: str) -> None:
        self._channel = grpc.insecure_channel(f"unix:{socket}")

    def close(self) -> None:
        """End the connection."""
        self._channel.close()

    def call(self, method: str, request: Fields, service: str = "RuntimeService") -> dict[int, list[bytes]]:
        """Call a method; RpcError, with the runtime's own words, where it refuses."""
        rpc = self._channel.unary_unary(f"/runtime.v1.{service}/{method}")
        return protobuf.decode(rpc(protobuf.encode(request), timeout=CALL_S, wait_for_ready=True))

    def has_image(self, image: str) -> bool:
        """Whether the runtime knows an image."""
        return bool(self.call("ImageStatus", {1: {1: image}}, "ImageService")[1])

    @contextlib.contextmanager
    def pod(self, handler: str) -> Iterator[Pod]:
        """A sandbox of the RuntimeClass with this handler; gone afterwards, with its containers."""
        name = f"pod{next(_numbers)}"
        security = {1: {1: NODE_NAMESPACE, 2: POD_NAMESPACE}}
        config = {1: {1: name, 2: name, 3: "default"}, 8: {2: security}}
        answer = self.call("RunPodSandbox", {1: config, 2: handler})
        pod = Pod(answer[1][0].decode(), config)
        try:
            yield pod
        finally:
            self.call("StopPodSandbox", {1: pod.id})
            self.call("RemovePodSandbox", {1: pod.id})

    def start(
        self, pod: Pod, image: str, env: Mapping[str, str], devices: Sequence[str] = (), name: str = "app"
    ) -> str:
        """A container in a sandbox that lives as long as that; its id."""
        variables = [{1: key, 2: value} for key, value in env.items()]
        config = {1: {1: name}, 2: {1: image}, 3: ["sleep", "infinity"], 6: variables}
        config |= {15: {2: {3: {1: NODE_NAMESPACE, 2: POD_NAMESPACE}}}, 17: [{1: device} for device in devices]}
        answer = self.call("CreateContainer", {1: pod.id, 2: config, 3: pod.config})
        container = answer[1][0].decode()
        self.call("StartContainer", {1: container})
        return container

    def run(self, container: str, command: Sequence[str]) -> str:
        """What a command prints in a running container; it has to work."""
        answer = self.call("ExecSync", {1: container, 2: list(command), 3: int(CALL_S)})
        output, errors = (b"".join(answer[number]).decode() for number in (1, 2))
        assert not answer[3], f"{command[0]} ended with {answer[3]}: {errors}"
        return output
