"""What an image brings to a request: its variables, and its root file system where that is a folder of this machine."""

import contextlib
import http.client
import json
import os
import urllib.parse
from typing import Any

import msgspec

from linkspan.check.eyes import Eyes, Ledger, live
from linkspan.engines import unix_http
from linkspan.errors import HostError

SOCKETS = ("/run/docker.sock", "/var/run/docker.sock")
TIME_S = 10.0


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """An image, as far as a request goes: its variables, and eyes for its files, if they can be looked at."""

    name: str
    env: tuple[str, ...] = ()
    root: Eyes | None = None


def read(asked: str) -> Image:
    """The image of this name, a root file system, or a bundle; HostError where it is none of these."""
    if os.path.isdir(asked):
        bundle = os.path.join(asked, "config.json")
        if os.path.isfile(bundle):
            return _of_bundle(asked, bundle)
        return Image(name=asked, root=live(asked, Ledger()))
    return _of_docker(asked)


def _of_bundle(folder: str, path: str) -> Image:
    try:
        with open(path, "rb") as file:
            config = json.load(file)
        env = tuple(map(str, config["process"].get("env") or ()))
        root = os.path.join(folder, str((config.get("root") or {}).get("path", "rootfs")))
    except OSError as error:
        raise HostError(f"cannot read {path}: {(error.strerror or 'unknown').lower()}", subject=path) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HostError(f"{path} is no OCI runtime specification", subject=path) from error
    return Image(name=folder, env=env, root=live(root, Ledger()) if os.path.isdir(root) else None)


def _of_docker(name: str) -> Image:
    path = next((path for path in SOCKETS if os.path.exists(path)), "")
    if not path:
        hint = "give the folder of its root file system, or of a bundle"
        raise HostError(f"{name} is no folder, and no Docker runs here that could know an image {name}", hint=hint)
    try:
        found = _asked(path, name)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise HostError(f"Docker does not tell of the image {name}: {error}", subject=name) from error
    env = (found.get("Config") or {}).get("Env") or ()
    return Image(name=name, env=tuple(map(str, env)))


def _asked(path: str, name: str) -> dict[str, Any]:
    with contextlib.closing(unix_http.Connection(path, TIME_S)) as connection:
        connection.request("GET", f"/images/{urllib.parse.quote(name, safe='/:@')}/json")
        answer = connection.getresponse()
        document = json.loads(answer.read(4 << 20))
    if answer.status != 200 or not isinstance(document, dict):
        raise ValueError(document.get("message", answer.reason) if isinstance(document, dict) else answer.reason)
    return document
