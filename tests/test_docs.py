"""The documents say what is so: examples run, links lead somewhere, tables are complete, layers are the linter's."""

import configparser
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from linkspan import errors
from linkspan.check import pieces
from linkspan.check.boundary import PARTS
from linkspan.check.pieces import Piece
from linkspan.check.responsibilities import Boundary, Row
from linkspan.facts.model import Gpu, HostFacts
from linkspan.formats import toolkit_config
from linkspan.formats.toolkit_config import ToolkitConfig
from linkspan.image.registry import all_rules
from tests import containers, rootfs
from tests.debian import UnavailableError

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGES = sorted(
    os.path.relpath(os.path.join(folder, name), ROOT)
    for top in (ROOT, f"{ROOT}/docs")
    for folder, _, names in (os.walk(top) if top != ROOT else [(ROOT, [], os.listdir(ROOT))])
    for name in names
    if name.endswith(".md")
)
RUN = re.compile(r"^```console run\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "=== "


def text_of(page: str) -> str:
    with open(f"{ROOT}/{page}", encoding="utf-8") as file:
        return file.read()


WITH_EXAMPLES = [page for page in PAGES if RUN.search(text_of(page))]


def steps(page: str) -> list[tuple[str, str]]:
    """The commands of a page, in order, each with the output that it has to have."""
    found: list[tuple[str, str]] = []
    for block in RUN.findall(text_of(page)):
        for line in block.splitlines():
            if line.startswith("# ") and not line.startswith("# …"):
                found.append((line[2:], ""))
            else:
                command, expected = found.pop()
                found.append((command, f"{expected}{line.rstrip()}\n"))
    return found


def as_pattern(expected: str) -> str:
    """Text in which … stands for anything."""
    parts = (re.escape(part) for part in re.split(r"\n?…\n|…", expected))
    return "(.|\n)*?".join(parts)


def run(page: str, folder: str) -> list[str]:
    """The output of each command, all of them run in one shell."""
    script = "".join(f"printf '%s\\n' '{MARK}{number}'\n{command}\n" for number, (command, _) in enumerate(steps(page)))
    environment = {
        "PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}",
        "HOME": folder,
        "XDG_CONFIG_HOME": f"{folder}/none",
        "NO_COLOR": "1",
        "COLUMNS": "80",
    }
    with open(f"{folder}/.output", "w+", encoding="utf-8") as output:  # not a pipe: containers would keep it open
        subprocess.run(
            ["bash", "-c", script],
            cwd=f"{folder}/first",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=120,
            check=False,
        )
        output.seek(0)
        pieces = re.split(rf"^{MARK}\d+\n", output.read(), flags=re.MULTILINE)
    return ["\n".join(line.rstrip() for line in piece.splitlines()) + "\n" for piece in pieces[1:]]


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A scratch folder; in ``first`` below it the reader stands, with the root filesystem that the tutorial makes."""
    place = tmp_path_factory.mktemp("reader")
    try:
        containers.need(containers.RUNC_V1 if os.path.isdir("/sys/fs/cgroup/devices") else containers.RUNC_V2)
        with rootfs.fresh_root() as root:
            os.makedirs(f"{place}/first/bundle/rootfs")
            subprocess.run(["mount", "--bind", root, f"{place}/first/bundle/rootfs"], check=True, timeout=20)
            try:
                yield str(place)
            finally:
                subprocess.run(["umount", "-l", f"{place}/first/bundle/rootfs"], check=False, timeout=20)
    except UnavailableError as reason:
        pytest.skip(str(reason))


@pytest.mark.privileged
@pytest.mark.parametrize("page", WITH_EXAMPLES)
def test_the_examples_of_a_page_run_as_they_stand(page, folder):
    outputs = run(page, folder)
    assert len(outputs) == len(steps(page))
    for (command, expected), printed in zip(steps(page), outputs, strict=True):
        assert re.fullmatch(as_pattern(expected or "\n"), printed or "\n"), f"# {command}\n{printed}"


@pytest.mark.parametrize("page", PAGES)
def test_every_relative_link_leads_to_a_page_and_a_heading(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        place = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
        assert os.path.exists(f"{ROOT}/{place}"), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", text_of(place), re.MULTILINE)
            assert anchor in [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings], target


def test_the_reference_of_commands_is_what_the_commands_say():
    assert text_of("docs/reference/cli.md") == written_by("cli-reference"), "run 'make docs'"


def test_the_page_of_failure_modes_is_what_the_catalogue_says():
    assert text_of("docs/reference/failure-modes.md") == written_by("failure-modes"), "run 'make docs'"


def test_the_page_of_rules_for_images_is_what_the_rules_say():
    assert text_of("docs/reference/image-rules.md") == written_by("image-rules"), "run 'make docs'"


def test_every_rule_for_images_is_on_the_page_with_its_severity():
    page = text_of("docs/reference/image-rules.md")
    for rule in all_rules():
        assert f"| [{rule.id}](#{rule.id.lower()}) | {rule.severity} | " in page


def written_by(program: str) -> str:
    done = subprocess.run(
        [sys.executable, f"{ROOT}/.ci/{program}"], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


def test_every_setting_is_in_the_reference_with_its_default():
    page = text_of("docs/reference/config.md")
    for key, value in toolkit_config.settings(ToolkitConfig()):
        assert f"| `{'.'.join(key)}` | `{json.dumps(value)}` |" in page


def test_the_example_configuration_can_be_followed():
    with open(f"{ROOT}/examples/config.toml", encoding="utf-8") as file:
        text = file.read()
    toolkit_config.parse(text, "examples/config.toml")
    known = {key[:length] for key, _ in toolkit_config.settings(ToolkitConfig()) for length in range(1, len(key) + 1)}
    assert set(toolkit_config.lines(text)) <= known


def test_every_fact_is_in_the_reference():
    page = text_of("docs/reference/facts.md")
    for model in (HostFacts, Gpu):
        for field in model.__struct_fields__:
            assert f"`{field}`" in page


def test_every_part_of_the_stack_is_in_the_table_of_responsibilities():
    page = text_of("docs/reference/boundary.md")
    for part in PARTS:
        side = "image" if part.owner == "image" else "host"
        files = ", ".join(f"`{name}`" for name in part.files) or "whatever it is"
        assert f"| {part.title} | {side} | {files} | {part.why} |" in page
    for name in (*Boundary.__struct_fields__, *Row.__struct_fields__, *Piece.__struct_fields__, *pieces.KINDS):
        assert f"`{name}`" in page


def test_every_error_code_is_in_the_reference():
    page = text_of("docs/reference/exit-codes.md")
    for name in vars(errors).values():
        if isinstance(name, type) and issubclass(name, errors.LinkspanError):
            assert f"| `{name.code}` |" in page


def test_the_layers_on_the_page_are_those_of_the_linter():
    linter = configparser.ConfigParser()
    linter.read(f"{ROOT}/importlinter.ini")
    layers = linter["importlinter:contract:flow"]["layers"].strip()
    assert f"```\n{layers}\n```" in text_of("docs/explanation/architecture.md")


def test_every_decision_is_in_the_list():
    page = text_of("docs/decisions/README.md")
    notes = {name for name in os.listdir(f"{ROOT}/docs/decisions") if re.match(r"\d{3}-", name)}
    assert notes == set(re.findall(r"\((\d{3}-[^)]+)\)", page))


def test_every_target_of_make_has_a_line_in_its_help():
    done = subprocess.run(["make", "-C", ROOT, "help"], capture_output=True, text=True, timeout=20, check=True)
    with open(f"{ROOT}/Makefile", encoding="utf-8") as file:
        targets = set(re.findall(r"^([a-z]+):", file.read(), re.MULTILINE))
    assert set(re.findall(r"^make (\w+)", done.stdout, re.MULTILINE)) == targets
