"""Tegra: boards whose GPU needs the files that NVIDIA's CSV mount specifications list (contract 2.4, 5.6)."""

from collections.abc import Iterator
from typing import Literal

from linkspan.errors import FormatError
from linkspan.facts.host import HostReader, Survey, glob, hops, is_file, text
from linkspan.facts.model import CsvEntry

RELEASE_FILE = "/etc/nv_tegra_release"
_FAMILY = "/sys/devices/soc0/family"
_TYPES: dict[str, Literal["dev", "dir", "lib", "sym"]] = {"dev": "dev", "dir": "dir", "lib": "lib", "sym": "sym"}


def is_tegra(survey: Survey) -> bool:
    """True where the host calls itself a Tegra board."""
    family = text(survey.kernel, _FAMILY) or ""
    return is_file(survey.files, RELEASE_FILE) or family.lower().startswith("tegra")


def entries(survey: Survey) -> tuple[CsvEntry, ...]:
    """Every line of the CSV files, in order, with what stands at its path; a pattern gives an entry for each match."""
    paths = [path for pattern in survey.search.csv_files for path in glob(survey.files, pattern)]
    if not paths and is_tegra(survey):
        survey.miss("CSV files", f"there is no {' or '.join(survey.search.csv_files)}")
    return tuple(entry for path in dict.fromkeys(paths) for entry in _file_entries(survey, path))


def _file_entries(survey: Survey, path: str) -> Iterator[CsvEntry]:
    for number, line in enumerate((text(survey.files, path) or "").splitlines(), 1):
        source = f"{path}:{number}"
        try:
            parsed = parse_line(line)
        except FormatError as error:
            survey.miss(source, error.message)
            continue
        if parsed:
            yield from _line_entries(survey, *parsed, source)


def parse_line(line: str) -> tuple[Literal["dev", "dir", "lib", "sym"], str] | None:
    """The type and path of a line, None for a blank one and for a comment. Raises FormatError on anything else."""
    line = line.strip()
    if not line or line.startswith("#"):
        return None
    kind, comma, path = (part.strip() for part in line.partition(","))
    if not comma or kind not in _TYPES or not path.startswith("/"):
        raise FormatError(f"{line[:80]!r} is not dev, dir, lib or sym, a comma and an absolute path")
    return _TYPES[kind], path


def _line_entries(
    survey: Survey, kind: Literal["dev", "dir", "lib", "sym"], pattern: str, source: str
) -> Iterator[CsvEntry]:
    host = survey.nodes if kind == "dev" else survey.files
    paths = glob(host, pattern)
    if not paths:
        survey.miss(pattern, f"listed in {source}, but nothing stands there")
    for path in paths or [pattern]:
        yield _entry(host, kind, path, source)


def _entry(host: HostReader, kind: Literal["dev", "dir", "lib", "sym"], path: str, source: str) -> CsvEntry:
    final = host.real(path) or ""
    return CsvEntry(
        type=kind,
        path=path,
        source=source,
        host_path=host.root + final if final else "",
        final=final,
        hops=hops(host, path) if final else (),
    )
