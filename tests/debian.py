"""Debian packages for tests: found, fetched and unpacked by an apt of our own.

That apt takes the addresses and network settings of the machine's, and nothing else: its indexes, caches and hooks are
its own, so nothing that is configured or installed on the machine is read as state, or changed. What is built from
packages stays in a cache folder between runs, which may be deleted at any time.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence

SUITES = ("bookworm", "trixie", "forky", "sid", "stable", "testing", "unstable")
KEYRINGS = ("/usr/share/keyrings/debian-archive-keyring.pgp", "/usr/share/keyrings/debian-archive-keyring.gpg")
INDEX_TIME_S = 300
# Unlike dpkg-deb -x, this leaves a link such as /lib -> usr/lib where a package has a folder of that name.
_UNPACK = 'dpkg-deb --fsys-tarfile "$1" | tar -xp --keep-directory-symlink -C "$2"'
DOWNLOAD_TIME_S = 900


class UnavailableError(Exception):
    """Something that a test needs and this machine does not have; the sentence says what. Fixtures skip on it."""


def cache_home() -> str:
    """Where builds are kept between runs: $XDG_CACHE_HOME/linkspan-tests, else /var/cache/linkspan-tests."""
    home = os.environ.get("XDG_CACHE_HOME")
    return f"{home}/linkspan-tests" if home else "/var/cache/linkspan-tests"


def cached(name: str, recipe: object, build: Callable[[str], None]) -> str:
    """The cached folder ``name`` made by ``build(folder)``; one process builds, others wait; a failure leaves nothing.

    ``recipe`` is whatever the content depends on; another recipe is another folder.
    """
    digest = hashlib.blake2b(repr(recipe).encode(), digest_size=4).hexdigest()
    final = f"{cache_home()}/{name}-{digest}"
    os.makedirs(cache_home(), exist_ok=True)
    with _locked(f"{cache_home()}/{name}.lock"):
        if not os.path.isdir(final):
            _build_beside(final, build)
    return final


@contextlib.contextmanager
def _locked(path: str) -> Iterator[None]:
    with open(path, "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build_beside(final: str, build: Callable[[str], None]) -> None:
    unfinished = f"{final}.unfinished"  # the lock is ours: what is there was left by a build that was killed
    shutil.rmtree(unfinished, ignore_errors=True)
    os.mkdir(unfinished)
    try:
        build(unfinished)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    os.rename(unfinished, final)


class Archive:
    """One suite of the Debian archive, through an apt whose whole state is in ``folder``."""

    def __init__(self, folder: str, suite: str, components: Sequence[str]) -> None:
        self._folder = folder
        for name in ("lists/partial", "cache/archives/partial", "packages"):
            os.makedirs(f"{folder}/{name}", exist_ok=True)
        _write(f"{folder}/apt.conf", _private_settings(folder))
        _write(f"{folder}/status", "")
        options = next((f"[signed-by={path}] " for path in KEYRINGS if os.path.exists(path)), "")
        lines = [f"deb {options}{mirror} {suite} {' '.join(components)}\n" for mirror in mirrors()]
        _write(f"{folder}/sources.list", "".join(lines))
        self._apt("apt-get", "update", "-q", time_s=INDEX_TIME_S)

    def unpack(self, packages: Sequence[str], into: str) -> None:
        """Fetch the packages in the newest version of this suite, and unpack their files below ``into``."""
        self._apt("apt-get", "download", "-q", *packages, time_s=DOWNLOAD_TIME_S)
        for name in sorted(os.listdir(f"{self._folder}/packages")):
            _run(["dpkg-deb", "-x", f"{self._folder}/packages/{name}", into], time_s=60)
            os.unlink(f"{self._folder}/packages/{name}")

    def unpack_with_dependencies(self, packages: Sequence[str], into: str) -> None:
        """Unpack the packages and all that they depend on; no maintainer script runs, so nothing is configured."""
        for path in self._with_dependencies(packages):
            _run(["sh", "-c", _UNPACK, "sh", path, into], time_s=60)

    def fetch_with_dependencies(self, packages: Sequence[str], into: str) -> None:
        """Put the packages and all that they depend on into a folder, as they are."""
        for path in self._with_dependencies(packages):
            shutil.move(path, into)

    def _with_dependencies(self, packages: Sequence[str]) -> list[str]:
        wanted = ("install", "-q", "--yes", "--download-only", "--no-install-recommends", *packages)
        self._apt("apt-get", *wanted, time_s=DOWNLOAD_TIME_S)
        archives = f"{self._folder}/cache/archives"
        return [f"{archives}/{name}" for name in sorted(os.listdir(archives)) if name.endswith(".deb")]

    def _apt(self, *argv: str, time_s: float) -> None:
        _run(argv, time_s=time_s, cwd=f"{self._folder}/packages", APT_CONFIG=f"{self._folder}/apt.conf")


@contextlib.contextmanager
def archive(suite: str, *components: str) -> Iterator[Archive]:
    """A suite's index for as long as the packages are being fetched; UnavailableError where there is none."""
    with tempfile.TemporaryDirectory(prefix="linkspan-apt-") as folder:
        yield Archive(folder, suite, components)


def mirrors() -> list[str]:
    """The archive roots that this machine's own apt uses for Debian; UnavailableError where it knows none."""
    if not shutil.which("apt-get"):
        raise UnavailableError("this machine has no apt-get to fetch Debian packages with")
    with tempfile.TemporaryDirectory(prefix="linkspan-apt-") as folder:
        os.makedirs(f"{folder}/lists/partial")
        listing = _run(["apt-get", "update", "--print-uris", "-o", f"Dir::State::lists={folder}/lists"], time_s=60)
    found = re.findall(rf"^'(\S+)/dists/(?:{'|'.join(SUITES)})/InRelease'", listing, re.MULTILINE)
    if not found:
        raise UnavailableError("this machine's apt sources name no Debian archive")
    return list(dict.fromkeys(found))


def debootstrap(suite: str, into: str, *packages: str) -> None:
    """A minimal Debian system below ``into`` (about 200 MB, half a minute), with some packages more."""
    if not shutil.which("debootstrap"):
        raise UnavailableError("debootstrap is not installed")
    more = [f"--include={','.join(packages)}"] if packages else []
    _run(["debootstrap", "--variant=minbase", *more, suite, into, mirrors()[0]], time_s=DOWNLOAD_TIME_S)


def _private_settings(folder: str) -> str:
    """An apt.conf with the machine's network settings alone: its hooks would work on the machine's own caches."""
    dump = _run(["apt-config", "dump"], time_s=60)
    network = [line for line in dump.splitlines() if re.match(r"Acquire::(https?|ftp|Retries|Check|ForceIPv)", line)]
    private = {
        "Dir::Etc::main": "/dev/null",
        "Dir::Etc::parts": "/dev/null",
        "Dir::Etc::sourcelist": f"{folder}/sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
        "Dir::State::lists": f"{folder}/lists",
        "Dir::State::status": f"{folder}/status",
        "Dir::State::extended_states": f"{folder}/extended",
        "Dir::Cache": f"{folder}/cache",
        "Dir::Log": f"{folder}",
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
    }
    return "".join([*(f"{line}\n" for line in network), *(f'{key} "{value}";\n' for key, value in private.items())])


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def _run(argv: Sequence[str], *, time_s: float, cwd: str | None = None, **env: str) -> str:
    """The program's output; UnavailableError, with its own last words, where it fails or takes too long."""
    settings = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", **env}
    try:
        done = subprocess.run(
            argv,
            env=settings,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=time_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"{argv[0]} did not work here: {error}") from None
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise UnavailableError(f"{' '.join(argv[:2])} failed on this machine: {''.join(last)}")
    return done.stdout
