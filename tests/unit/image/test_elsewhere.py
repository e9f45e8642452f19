"""The same image gives the same entries, wherever it is: in a layout, a registry, a daemon, or as a container."""

import contextlib
import http.server
import json
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from linkspan.errors import ConfigError, HostError, LinkspanError, RequestError
from linkspan.image import daemons, elsewhere, read, source
from linkspan.image.access import Access
from linkspan.image.model import Image
from tests.unit.image import writer
from tests.unit.image.registry_server import Content, serving

LAYERS = [
    writer.layer(
        {"etc/os-release": "ID=debian\n", "usr/lib/libcuda.so.1": "x" * 100, "old": "gone"}, command="RUN one"
    ),
    writer.layer({".wh.old": "", "app/main.py": "print()"}, "zstd", command="COPY two"),
]
ENV = ["PATH=/usr/bin", "NVIDIA_VISIBLE_DEVICES=all"]


def told(image: Image) -> object:
    return image.entries, image.hidden, image.config, [(one.digest, one.command) for one in image.layers]


@pytest.fixture
def layout(tmp_path: Path) -> Image:
    return source.open_image(writer.write_layout(str(tmp_path / "layout"), LAYERS, Env=ENV))


def in_registry() -> Content:
    content = Content()
    files, manifest = writer.blobs(LAYERS, Env=ENV)
    for data in files.values():
        content.put(data)
    content.manifests["1"] = manifest
    return content


def test_a_registry_gives_the_same_as_a_layout(layout):
    with serving(in_registry()) as host:
        image = elsewhere.open_elsewhere(f"docker://{host}/app:1", Access(insecure=frozenset({f"http://{host}"})))
    assert told(image) == told(layout)
    assert image.source == f"{host}/app:1"


def test_a_mirror_is_asked_in_place_of_the_registry_where_that_is_wanted(layout):
    with serving(in_registry()) as host:
        how = Access(insecure=frozenset({f"http://{host}"}), mirrors={"registry.example": host})
        image = elsewhere.open_elsewhere("registry:registry.example/app:1", how)
    assert told(image) == told(layout)


@pytest.mark.parametrize("asked", ["registry:", "docker-daemon:", "podman:", "container:"])
def test_a_word_without_a_name_is_told(asked):
    with pytest.raises(RequestError, match="names no image"):
        elsewhere.open_elsewhere(asked, Access())


def test_another_machines_docker_is_not_asked():
    with pytest.raises(ConfigError, match="only a socket"):
        elsewhere.open_elsewhere("docker-daemon:app", Access(env={"DOCKER_HOST": "tcp://192.0.2.1:2375"}))


def test_a_registry_that_changes_a_layer_is_refused():
    content = in_registry()
    name = LAYERS[0].digest
    data = content.blobs[name]
    content.blobs[name] = data[:60] + bytes([data[60] ^ 1]) + data[61:]
    with serving(content) as host, pytest.raises(LinkspanError, match=r"other bytes than|unpacked|digest"):
        elsewhere.open_elsewhere(f"registry:{host}/app:1", Access(insecure=frozenset({f"http://{host}"})))


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@contextlib.contextmanager
def docker(path: str, answers: dict[str, tuple[int, bytes]]) -> Iterator[str]:
    """A socket that answers as Docker's does."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def address_string(self) -> str:
            return "socket"

        def do_GET(self) -> None:
            code, body = answers.get(self.path, (404, b'{"message": "no such thing"}'))
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with Server(path, Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield path
        finally:
            server.shutdown()
            thread.join(10)


def test_docker_gives_the_same_as_a_layout(layout, tmp_path, monkeypatch):
    archive = writer.tar(writer.layout(LAYERS, Env=ENV))
    with docker(str(tmp_path / "s"), {"/images/team/app:1/get": (200, archive)}) as path:
        with daemons.of_docker("team/app:1", path) as file:
            image = source.open_image(file)
        with (
            pytest.raises(HostError, match="not give other: no such thing"),
            daemons.of_docker("other", path),
        ):
            pass
    assert told(image) == told(layout)


def test_a_container_is_what_it_is_now(tmp_path):
    files = writer.tar({"etc/os-release": "ID=debian\n", "usr/lib/libcuda.so.1": ""})
    about = json.dumps({"Config": {"Env": ENV, "User": "1000"}}).encode()
    answers = {"/containers/train/export": (200, files), "/containers/train/json": (200, about)}
    with docker(str(tmp_path / "s"), answers) as path:
        image = read.read(daemons.ContainerSource("train", path))
    assert image.source == "container train"
    assert image.config.user == "1000"
    assert image.entries["/usr/lib/libcuda.so.1"].size == 0


@pytest.mark.allow_subprocess
@pytest.mark.parametrize(("kind", "program"), [("podman", "podman"), ("containerd", "ctr")])
def test_podman_and_containerd_are_asked_by_their_programs(layout, tmp_path, kind, program):
    writer.write_archive(str(tmp_path / "saved.tar"), writer.layout(LAYERS, Env=ENV))
    script = tmp_path / "bin" / program
    script.parent.mkdir()
    script.write_text(
        "#!/bin/sh\nfor word; do case $word in --output=*) out=${word#*=} ;; */image.tar) out=$word ;; esac; done\n"
        f'[ "$SECRET" = "" ] && cp {tmp_path}/saved.tar "$out"\n'
    )
    script.chmod(0o755)
    env = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "SECRET": "x"}
    image = elsewhere.open_elsewhere(f"{kind}:app", Access(env=env))
    assert told(image) == told(layout)
    assert image.source == f"{kind}:app"


@pytest.mark.allow_subprocess
def test_a_program_that_is_not_there_is_told(tmp_path):
    with pytest.raises(HostError, match="podman is not installed"):
        elsewhere.open_elsewhere("podman:app", Access(env={"PATH": str(tmp_path)}))


def test_no_docker_is_told(tmp_path):
    with pytest.raises(HostError, match="Docker does not answer"), daemons.of_docker("app", str(tmp_path / "none")):
        pass


def test_only_a_prefix_makes_it_ask_anybody():
    assert not elsewhere.is_elsewhere("nvidia/cuda:12.4.1-base-ubuntu22.04")
    assert elsewhere.is_elsewhere("registry:nvidia/cuda")
    with pytest.raises(RequestError, match="is no name of an image"):
        elsewhere.open_elsewhere("registry:UPPER", Access())
