"""Credentials, from the files and programs of docker and podman."""

import base64
import json
import os

import pytest

from linkspan.image import credentials
from linkspan.image.credentials import Credentials


def write(path, document) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document))


def auth(text: str) -> dict[str, str]:
    return {"auth": base64.b64encode(text.encode()).decode()}


def test_dockers_file_comes_before_podmans(tmp_path):
    write(tmp_path / ".docker/config.json", {"auths": {"a.example": auth("ada:one")}})
    write(
        tmp_path / ".config/containers/auth.json", {"auths": {"a.example": auth("ada:two"), "b.example": auth("b:x")}}
    )
    env = {"HOME": str(tmp_path)}
    assert credentials.find("a.example", env) == Credentials("ada", "one")
    assert credentials.find("b.example", env) == Credentials("b", "x")
    assert credentials.find("c.example", env) is None


def test_docker_hub_goes_by_its_old_address(tmp_path):
    write(tmp_path / ".docker/config.json", {"auths": {"https://index.docker.io/v1/": auth("ada:hub")}})
    assert credentials.find("docker.io", {"HOME": str(tmp_path)}) == Credentials("ada", "hub")


def test_an_identity_token_counts(tmp_path):
    write(tmp_path / ".docker/config.json", {"auths": {"a.example": {"identitytoken": "long"}}})
    assert credentials.find("a.example", {"HOME": str(tmp_path)}) == Credentials(token="long")


@pytest.mark.allow_subprocess
@pytest.mark.parametrize("key", ["credHelpers", "credsStore"])
def test_a_helper_is_asked_as_docker_asks_it(tmp_path, key):
    helper = tmp_path / "bin/docker-credential-test"
    write(helper, '#!/bin/sh\nread -r host\nprintf \'{"Username": "ada", "Secret": "for %s"}\' "$host"\n')
    helper.chmod(0o755)
    value = {"a.example": "test"} if key == "credHelpers" else "test"
    write(tmp_path / ".docker/config.json", {key: value})
    env = {"HOME": str(tmp_path), "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
    assert credentials.find("a.example", env) == Credentials("ada", "for a.example")


@pytest.mark.allow_subprocess
def test_a_helper_that_is_no_mere_name_or_fails_gives_nothing(tmp_path):
    for helper in ("../../bin/sh", "absent"):
        write(tmp_path / ".docker/config.json", {"credHelpers": {"a.example": helper}})
        assert credentials.find("a.example", {"HOME": str(tmp_path), "PATH": "/usr/bin"}) is None


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"auths": []}', '{"auths": {"a.example": {"auth": "%%%"}}}', '{"auths": {"a.example": 1}}']
)
def test_a_file_in_error_counts_as_none(tmp_path, text):
    write(tmp_path / ".docker/config.json", text)
    assert credentials.find("a.example", {"HOME": str(tmp_path)}) is None
