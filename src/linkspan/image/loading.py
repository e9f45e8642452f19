"""What the loader will find in an image, by the rules of ld.so(8), without ever running it."""

import re
from functools import cached_property

from linkspan.check.inside import is_driver_name
from linkspan.image.model import MISSING_LAYER, Entry, Image
from linkspan.plan.capabilities import owners

_ORIGIN = re.compile(r"\$(?:ORIGIN|\{ORIGIN\})")
_LIB = re.compile(r"\$(?:LIB|\{LIB\})")
_MULTIARCH = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
_LOADERS = re.compile(r"(ld-linux|ld64|ld-musl|linux-vdso|libc\.musl)[^/]*")
_OF_MUSL = re.compile(r"lib(c|pthread|rt|m|dl|util|xnet)\..*")
"""Names for which musl's loader never looks, since it is these libraries itself (musl, ldso/dynlink.c)."""
_OUR_OWN = re.compile(r"/(stubs|compat|cuda-compat)/")
_JETSON = re.compile(r"libnv[a-z_]+\.so|libtegra\w*\.so")
_CONFIGURATION = re.compile(r"/etc/(ld\.so\.conf|ld\.so\.conf\.d/[^/]+\.conf|ld-musl-[^/]+\.path)")


class Loader:
    """The loader of an image: where it looks, and what it finds there."""

    def __init__(self, image: Image) -> None:
        self.image = image
        self._found: dict[tuple[str, bool], Entry | None] = {}
        self._vital: dict[str, frozenset[str]] = {}
        self._whole: set[str] = set()

    @cached_property
    def is_musl(self) -> bool:
        """True where the image has musl's loader and not glibc's."""
        musl = any(one.startswith("ld-musl-") for one in self.image.by_name)
        return musl and not any(one.startswith(("ld-linux", "ld64.so")) for one in self.image.by_name)

    @cached_property
    def variable(self) -> tuple[str, ...]:
        """The folders of LD_LIBRARY_PATH."""
        text = self.image.config.variables.get("LD_LIBRARY_PATH", "")
        return tuple(word.rstrip("/") for word in re.split("[:;]", text) if word.startswith("/"))

    @cached_property
    def configured(self) -> tuple[str, ...]:
        """The folders of /etc/ld.so.conf.d, or of musl's file."""
        texts = [entry.text or "" for path, entry in sorted(self.image.entries.items()) if _is_configuration(path)]
        lines = (line.partition("#")[0].strip() for text in texts for line in re.split(r"[\n:]", text))
        return tuple(dict.fromkeys(line.rstrip("/") for line in lines if line.startswith("/")))

    @cached_property
    def cached(self) -> dict[str, str]:
        """The loader's cache, name to the first path; empty where the image has none or its text is not known."""
        entry = self.image.get("/etc/ld.so.cache")
        found: dict[str, str] = {}
        for line in ((entry.text if entry else "") or "").splitlines():
            name, arrow, path = line.partition(" => ")
            if arrow:
                found.setdefault(name, path)
        return found

    @cached_property
    def defaults(self) -> tuple[str, ...]:
        """The folders that a loader looks into by itself."""
        if self.is_musl:
            return ("/lib", "/usr/local/lib", "/usr/lib")
        triple = _MULTIARCH.get(self.image.config.architecture or "amd64", "")
        multiarch = (f"/lib/{triple}", f"/usr/lib/{triple}") if triple else ()
        return (*multiarch, "/lib64", "/usr/lib64", "/lib", "/usr/lib")

    @cached_property
    def sonames(self) -> frozenset[str]:
        """The names that libraries of the image have for themselves."""
        return frozenset(one.elf.soname for one in self.image.elves if one.elf and one.elf.soname)

    @cached_property
    def used(self) -> frozenset[str]:
        """The paths of programs, of modules, and of the libraries that those link to, directly or not.

        A library that is not among them is opened by its name, if by anybody: a plugin.
        """
        return self._reached([one for one in self.image.elves if _begins(one)])

    def vital(self, named: re.Pattern[str]) -> frozenset[str]:
        """The paths of the files whose path fits as a whole, and of the libraries that those link to."""
        key = named.pattern
        if key not in self._vital:
            self._vital[key] = self._reached([one for one in self.image.elves if named.fullmatch(one.path)])
        return self._vital[key]

    def _reached(self, begin: list[Entry]) -> frozenset[str]:
        ahead, seen = list(begin), {one.path for one in begin}
        while ahead:
            entry = ahead.pop()
            for name in entry.elf.needs if entry.elf else ():
                found = [one for one in self.called.get(name.rpartition("/")[2], ()) if one.path not in seen]
                seen.update(one.path for one in found)
                ahead += found
        return frozenset(seen)

    @cached_property
    def called(self) -> dict[str, list[Entry]]:
        """The ELF files by each name that they go by: their own, that of a link to them, and their DT_SONAME."""
        found: dict[str, list[Entry]] = {}
        for one in self.image.elves:
            for name in {one.name, one.elf.soname if one.elf else ""}:
                found.setdefault(name, []).append(one)
        for name, entries in self.image.by_name.items():
            for link in (one for one in entries if one.kind == "link" and ".so" in name and name not in found):
                real = self.image.resolve(link.path)
                found.setdefault(name, []).extend([real] if real and real.elf else [])
        return found

    def find(self, name: str, by: Entry, *parents: Entry, variable: bool = True) -> Entry | None:
        """The library that a program or library gets by a name; None where the loader finds none.

        ``parents`` are those that loaded it, the next one first, the program last. First come the folders in DT_RPATH
        of it and its parents, unless it has DT_RUNPATH; then LD_LIBRARY_PATH; then its own DT_RUNPATH.
        """
        if "/" in name:
            return self.image.resolve(name)
        if self.is_musl and _OF_MUSL.fullmatch(name):
            return self._itself
        runpath = self.runpath(by)
        first = () if runpath else tuple(folder for one in (by, *parents) for folder in self.rpath(one))
        folders = (*first, *(self.variable if variable else ()), *runpath)
        return next((one for folder in folders if (one := self._at(folder, name))), None) or self.usual(name)

    def lost(self, program: Entry) -> list[tuple[str, Entry]]:
        """What a program does not find though it is in the image: the library's name, and who needs it.

        As the loader does it: breadth first, and a library that is loaded already is not looked for again.
        """
        loaded: set[str] = set()
        lost: list[tuple[str, Entry]] = []
        ahead: list[tuple[Entry, ...]] = [(program,)]
        for by, *parents in ahead:
            for name in by.elf.needs if by.elf else ():
                if name in loaded or is_injected(name):
                    continue
                loaded.add(name)
                if found := self.find(name, by, *parents):
                    loaded.add(found.elf.soname if found.elf else "")
                    ahead.append((found, by, *parents))
                elif self.is_anywhere(name):
                    lost.append((name, by))
        return lost

    def may_lose(self, program: Entry) -> bool:
        """False where every library that a program could load is found by the usual ways; quick, since kept."""
        ahead, seen = [program], {program.path}
        while ahead:
            by = ahead.pop()
            for name in by.elf.needs if by.elf else ():
                found = self.usual(name)
                if found is None and not is_injected(name):
                    return True
                if found is not None and found.path not in seen and found.path not in self._whole:
                    seen.add(found.path)
                    ahead.append(found)
        self._whole |= seen
        return False

    @cached_property
    def _itself(self) -> Entry | None:
        return next((found[0] for name, found in self.image.by_name.items() if name.startswith("ld-musl-")), None)

    def usual(self, name: str) -> Entry | None:
        """The library by cache, configuration and the loader's own folders."""
        key = (name, False)
        if key not in self._found:
            path = self.cached.get(name)
            cached = self.image.resolve(path) if path else None
            places = (*self.configured, *self.defaults)
            self._found[key] = cached or next((one for place in places if (one := self._at(place, name))), None)
        return self._found[key]

    def runpath(self, by: Entry) -> tuple[str, ...]:
        """The folders of an ELF file's DT_RUNPATH, ``$ORIGIN`` and ``$LIB`` put in."""
        return self._folders(by, by.elf.runpath if by.elf else "")

    def rpath(self, by: Entry) -> tuple[str, ...]:
        """The folders of an ELF file's DT_RPATH; none where it has DT_RUNPATH, too, since that one counts."""
        return self._folders(by, by.elf.rpath) if by.elf and not by.elf.runpath else ()

    def _folders(self, by: Entry, text: str) -> tuple[str, ...]:
        if not text:
            return ()
        words = (_LIB.sub("lib64", _ORIGIN.sub(lambda _: by.folder, word)) for word in text.split(":") if word)
        return tuple(word.rstrip("/") for word in words)

    def is_anywhere(self, name: str) -> bool:
        """True where some file of the image has this name, or calls itself so."""
        if self.is_musl and _OF_MUSL.fullmatch(name):
            return True
        return name in self.sonames or any(self.image.resolve(one.path) for one in self.image.by_name.get(name, ()))

    def _at(self, folder: str, name: str) -> Entry | None:
        found = self.image.resolve(f"{folder}/{name}")
        return found if found is not None and found.kind == "file" else None


def loader(image: Image) -> Loader:
    """The loader of an image; it stays with the image, since its rules share what it found."""
    return image.kept(Loader)


def is_injected(name: str) -> bool:
    """True for a library that no image has to bring: the driver's, which come when the container starts."""
    # What dispatches between drivers (GLVND) is the image's own, although some drivers bring it, too.
    is_dispatcher = "nvidia" not in name and name.startswith(("libGL", "libEGL", "libOpenGL"))
    known = bool(owners(f"/usr/lib/{name}", frozenset())) and not is_dispatcher
    return is_driver_name(name) or known or bool(_LOADERS.fullmatch(name)) or bool(_JETSON.match(name))


def is_own(entry: Entry) -> bool:
    """True for an ELF file of the image proper: no stub, no compatibility package, no driver."""
    return entry.elf is not None and not _OUR_OWN.search(entry.path) and not is_driver_name(entry.name)


def is_whole(image: Image) -> bool:
    """False where a layer was left out: what is missing then says nothing. A hostile file that was is nobody's."""
    return not any(MISSING_LAYER in sentence for sentence in image.refused)


def _begins(entry: Entry) -> bool:
    """True for what is started, or imported: programs, and modules, whose names do not begin with lib."""
    return bool(entry.elf and entry.elf.interpreter) or not entry.name.startswith("lib")


def _is_configuration(path: str) -> bool:
    return bool(_CONFIGURATION.fullmatch(path))
