"""Who we are to a registry: as docker and podman keep it, in their files or with a helper program."""

import base64
import binascii
import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from linkspan.errors import KernelError
from linkspan.image.reference import DOCKER_HUB
from linkspan.kernel import process

HELPER_S = 30.0
LIMIT = 1 << 20
_HUBS_KEY = "https://index.docker.io/v1/"
"""By which name docker keeps the credentials of Docker Hub."""


class Credentials(NamedTuple):
    """A name and a password, or an identity token that stands for both."""

    username: str = ""
    password: str = ""
    token: str = ""


def find(host: str, env: Mapping[str, str]) -> Credentials | None:
    """The credentials for a registry, None where there are none: the first file that has some counts."""
    for path in _files(env):
        found = _in_file(path, host, env)
        if found is not None:
            return found
    return None


def _files(env: Mapping[str, str]) -> list[str]:
    home = env.get("HOME", "")
    docker = env.get("DOCKER_CONFIG") or f"{home}/.docker"
    podman = env.get("REGISTRY_AUTH_FILE") or f"{env.get('XDG_RUNTIME_DIR', '')}/containers/auth.json"
    return [f"{docker}/config.json", podman, f"{env.get('XDG_CONFIG_HOME') or f'{home}/.config'}/containers/auth.json"]


def _in_file(path: str, host: str, env: Mapping[str, str]) -> Credentials | None:
    document = _read(path)
    names = [host, f"https://{host}", *([_HUBS_KEY] if host == DOCKER_HUB else [])]
    helpers = document.get("credHelpers")
    for name in names:
        helper = helpers.get(name) if isinstance(helpers, dict) else None
        if isinstance(helper, str):
            return _by_helper(helper, name, env)
        auths = document.get("auths")
        entry = auths.get(name) if isinstance(auths, dict) else None
        if isinstance(entry, dict) and (found := _of_entry(entry)):
            return found
    store = document.get("credsStore")
    stored = [_by_helper(store, name, env) for name in names] if isinstance(store, str) else []
    return next((one for one in stored if one), None)


def _read(path: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            document = json.loads(file.read(LIMIT))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _of_entry(entry: dict[str, Any]) -> Credentials | None:
    token = str(entry.get("identitytoken") or "")
    try:
        plain = base64.b64decode(str(entry.get("auth") or ""), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        plain = ""
    username, _, password = plain.partition(":")
    username, password = str(entry.get("username") or username), str(entry.get("password") or password.rstrip("\0"))
    return Credentials(username, password, token) if token or username else None


def _by_helper(helper: str, host: str, env: Mapping[str, str]) -> Credentials | None:
    """docker's helper protocol: the host on standard input, a document on standard output."""  # noqa: D403
    if not helper or os.path.basename(helper) != helper:
        return None
    needed = {key: env[key] for key in ("HOME", "PATH", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS") if key in env}
    try:
        done = process.run([f"docker-credential-{helper}", "get"], env=needed, timeout_s=HELPER_S, input=host)
        document = json.loads(done.stdout)
        username, secret = str(document["Username"]), str(document["Secret"])
    except (KernelError, ValueError, KeyError, TypeError):
        return None
    # A helper tells of an identity token by this name (docker/cli, cli/config/credentials).
    return Credentials(token=secret) if username == "<token>" else Credentials(username, secret)
