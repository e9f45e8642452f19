"""Other people's tools: a registry of Debian's with authentication, and what skopeo makes of an image."""

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from linkspan.errors import HostError
from linkspan.image import elsewhere, source
from linkspan.image.access import Access
from linkspan.image.model import Image
from tests.debian import UnavailableError
from tests.unit.image import writer

pytestmark = [pytest.mark.privileged, pytest.mark.allow_subprocess]

USER, PASSWORD = "ada", "swordfish"
LAYERS = [
    writer.layer({"etc/os-release": "ID=debian\n", "old": "gone"}),
    writer.layer({".wh.old": "", "usr/lib/x86_64-linux-gnu/libcuda.so.550.54.14": "x" * 5000}),
]
ENV = ["PATH=/usr/bin", "NVIDIA_VISIBLE_DEVICES=all"]
CONFIG = """\
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {folder}/data}}}}
http: {{addr: "127.0.0.1:{port}"}}
auth: {{htpasswd: {{realm: test, path: {folder}/htpasswd}}}}
"""


def need(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise UnavailableError(f"{program} is not installed")
    return found


def run(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def layout(tmp_path: Path) -> str:
    return writer.write_layout(str(tmp_path / "layout"), LAYERS, Env=ENV)


@contextlib.contextmanager
def registry(folder: Path) -> Iterator[str]:
    """Debian's registry on a free port, with its own folder, ended afterwards; its host and port."""
    program = need("docker-registry")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    secret = run("perl", "-e", f'print crypt("{PASSWORD}", q($2b$05$abcdefghijklmnopqrstuu))')
    folder.mkdir()
    (folder / "htpasswd").write_text(f"{USER}:{secret}\n")
    (folder / "config.yml").write_text(CONFIG.format(folder=folder, port=port))
    quiet = subprocess.DEVNULL
    process = subprocess.Popen([program, "serve", f"{folder}/config.yml"], stdin=quiet, stdout=quiet, stderr=quiet)
    try:
        _wait(port)
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(20)


def _wait(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise UnavailableError("docker-registry does not listen")


def told(image: Image) -> object:
    return image.entries, image.hidden, image.config


def test_a_registry_with_authentication_gives_the_same_as_a_layout(tmp_path, layout):
    skopeo = need("skopeo")
    with registry(tmp_path / "registry") as host:
        name, login = f"{host}/team/app:1", f"--dest-creds={USER}:{PASSWORD}"
        copy = (skopeo, "--insecure-policy", "copy", "--quiet", "--dest-tls-verify=false", login)
        run(*copy, f"oci:{layout}", f"docker://{name}")
        insecure = frozenset({f"http://{host}"})
        with pytest.raises(HostError, match="wants credentials for"):
            elsewhere.open_elsewhere(f"registry:{name}", Access(insecure=insecure))
        auth = tmp_path / "auth.json"
        who = (f"--username={USER}", f"--password={PASSWORD}")
        run(skopeo, "login", "--tls-verify=false", f"--authfile={auth}", *who, host)
        image = elsewhere.open_elsewhere(
            f"registry:{name}", Access(env={"REGISTRY_AUTH_FILE": str(auth)}, insecure=insecure)
        )
    assert told(image) == told(source.open_image(layout))


@pytest.mark.parametrize("kind", ["docker-archive", "oci-archive", "oci"])
def test_what_skopeo_writes_gives_the_same(tmp_path, layout, kind):
    skopeo = need("skopeo")
    target = f"{tmp_path}/copy{'.tar' if kind.endswith('archive') else ''}"
    run(skopeo, "--insecure-policy", "copy", "--quiet", f"oci:{layout}", f"{kind}:{target}:app:1")
    assert told(source.open_image(target)) == told(source.open_image(layout))
