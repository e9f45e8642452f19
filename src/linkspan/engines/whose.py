"""Whose engine is meant: root's, or one of the user's own that has the same name."""

import os
import pwd

from linkspan.engines.places import Host

_ROOTS_DOCKER = (
    "/run/docker.sock", "/etc/docker/daemon.json", "/etc/systemd/system/docker.service",
    "/usr/lib/systemd/system/docker.service", "/lib/systemd/system/docker.service",
)  # fmt: skip
"""What tells that the host has a Docker of root's: it runs, or is set up."""


def roots_docker_alone(host: Host) -> str:
    """The file that tells of root's Docker, for a user who has none of their own; empty in all other cases."""
    if not host.uid or any(map(os.path.exists, _users_docker(host))):
        return ""
    return next((path for name in _ROOTS_DOCKER if os.path.exists(path := f"{host.root}{name}")), "")


def _users_docker(host: Host) -> tuple[str, ...]:
    """What tells that a user has a rootless Docker: it runs, or is set up."""
    home = host.env.get("HOME", "")
    runtime = host.env.get("XDG_RUNTIME_DIR") or f"{host.root}/run/user/{host.uid}"
    return (
        f"{runtime}/docker.sock",
        f"{home}/.docker/run/docker.sock",
        f"{host.config_home}/docker/daemon.json",
        f"{host.config_home}/systemd/user/docker.service",
    )


def user(uid: int) -> str:
    """A user's name, or their number where they have none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"the user {uid}"
