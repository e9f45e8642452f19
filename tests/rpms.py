"""Real databases of rpm for tests: tiny packages built by rpmbuild, installed by an rpm that knows SQLite and ndb.

That rpm is Debian trixie's, unpacked and run where it is. No rpm of today writes Berkeley DB any more: what it keeps in
SQLite is put into one by Berkeley DB's own ``db_load``, as rpm of its day did by the same library.
"""

import glob
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from struct import pack
from typing import NamedTuple

from tests import debian
from tests.debian import UnavailableError

FOLDER = "var/lib/rpm"
DB_LOAD = "db5.3_load"


class Tiny(NamedTuple):
    """A package to build; ``files`` are how many it has besides its first."""

    name: str
    version: str
    release: str
    file: str
    files: int = 0


def built(packages: Sequence[Tiny]) -> str:
    """The folder with these packages as files; made once, and kept."""
    return debian.cached("rpms", (tuple(packages), 2), lambda folder: _build(packages, folder))


def _build(packages: Sequence[Tiny], folder: str) -> None:
    with tempfile.TemporaryDirectory(prefix="linkspan-rpms-") as top:
        spec = f"{top}/tiny.spec"
        with open(spec, "w", encoding="ascii") as file:
            file.write("".join(_spec(packages)))
        _run("rpmbuild", "-bb", "--define", f"_topdir {top}", "--define", f"_rpmdir {folder}", spec)


def _spec(packages: Sequence[Tiny]) -> Iterator[str]:
    yield "Name: tiny\nVersion: 1\nRelease: 1\nSummary: tiny\nLicense: MIT\nBuildArch: noarch\nAutoReqProv: no\n"
    yield "%description\ntiny\n"
    for one in packages:
        yield f"%package -n {one.name}\nVersion: {one.version}\nRelease: {one.release}\nSummary: {one.name}\n"
        yield f"AutoReqProv: no\n%description -n {one.name}\n{one.name}\n"
    yield "%install\n"
    for one in packages:
        yield f"mkdir -p %{{buildroot}}{os.path.dirname(one.file)}\necho {one.name} > %{{buildroot}}{one.file}\n"
        if one.files:
            yield f"mkdir -p %{{buildroot}}/usr/share/{one.name}\ncd %{{buildroot}}/usr/share/{one.name}\n"
            yield f"seq -f a-file-of-{one.name}-%%g {one.files} | xargs touch\n"
    for one in packages:
        yield f"%files -n {one.name}\n{one.file}\n" + (f"/usr/share/{one.name}\n" if one.files else "")


class Rpm:
    """An rpm that keeps its packages below a root of its own, in one of the forms that it writes."""

    def __init__(self, root: str, form: str) -> None:
        self.root = root
        self.database = f"{root}/{FOLDER}"
        self._form = form
        os.makedirs(self.database, exist_ok=True)

    def install(self, folder: str, names: Sequence[str]) -> None:
        """Install these packages of a folder."""
        files = [path for name in names for path in glob.glob(f"{folder}/noarch/{name}-[0-9]*.rpm")]
        if len(files) != len(names):
            raise AssertionError(f"{folder} has {files} of {names}")
        self("--root", self.root, "--define", f"_dbpath /{FOLDER}", "--nodeps", "--nosignature", "-i", *files)

    def erase(self, *names: str) -> None:
        """Remove packages."""
        self("--root", self.root, "--define", f"_dbpath /{FOLDER}", "--nodeps", "-e", *names)

    def packages(self) -> list[str]:
        """What rpm itself says is installed: ``name version-release``."""
        return query(self.database, self._form)

    def __call__(self, *argv: str) -> str:
        return _rpm("--define", f"_db_backend {self._form}", *argv)


def query(database: str, form: str) -> list[str]:
    """What rpm says of a folder with a database."""
    words = ("--define", f"_db_backend {form}", "--dbpath", database, "-qa", "--qf", "%{NAME} %{VERSION}-%{RELEASE}\\n")
    return sorted(line for line in _rpm(*words).splitlines() if not line.startswith("gpg-pubkey "))


def _rpm(*argv: str) -> str:
    base = _unpacked()
    (loader,) = glob.glob(f"{base}/usr/lib/**/ld-linux-x86-64.so.2", recursive=True)[:1] or [""]
    if not loader:
        raise UnavailableError("there is no rpm of Debian trixie for this machine")
    libraries = os.path.dirname(glob.glob(f"{base}/usr/lib/**/librpm.so.*", recursive=True)[0])
    program = (loader, "--library-path", libraries, f"{base}/usr/bin/rpm")
    return _run(*program, *argv, RPM_CONFIGDIR=f"{base}/usr/lib/rpm", HOME="/nonexistent")


def _unpacked() -> str:
    def build(folder: str) -> None:
        with debian.archive("trixie", "main") as archive:
            archive.unpack_with_dependencies(["rpm"], folder)

    return debian.cached("rpm-trixie", ("rpm", 1), build)


def in_berkeley(sqlite: str, path: str, page: int = 4096, order: str = "<") -> None:
    """Write what a database of rpm in SQLite holds into a hash of Berkeley DB."""
    if shutil.which(DB_LOAD) is None:
        raise UnavailableError(f"there is no {DB_LOAD} (Debian's db5.3-util)")
    with closing(sqlite3.connect(f"file:{sqlite}?mode=ro", uri=True)) as base:
        rows = base.execute("SELECT hnum, blob FROM Packages").fetchall()
    dump = "".join(f" {pack(f'{order}I', number).hex()}\n {bytes(blob).hex()}\n" for number, blob in rows)
    counter = f" {bytes(4).hex()}\n {pack(f'{order}I', len(rows)).hex()}\n"  # rpm's own: the last number given
    text = f"VERSION=3\nformat=bytevalue\ntype=hash\nHEADER=END\n{counter}{dump}DATA=END\n"
    settings = ("-c", f"db_pagesize={page}", "-c", f"db_lorder={'1234' if order == '<' else '4321'}")
    _run(DB_LOAD, "-t", "hash", *settings, path, given=text)


def _run(*argv: str, given: str = "", **env: str) -> str:
    try:
        done = subprocess.run(
            argv, input=given, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, **env}
        )
    except FileNotFoundError as error:
        raise UnavailableError(f"there is no {argv[0]}") from error
    if done.returncode:
        raise AssertionError(f"{argv[0]} failed: {done.stderr.strip()[-500:]}")
    return done.stdout
