"""The catalogue of failure modes is whole: each id, with words and signatures that hold what they promise."""

import os
import re
import subprocess
import sys
import zipfile

import pytest

from linkspan.check.catalogue import all_modes
from linkspan.cli import main

AREAS = {
    "BUILD": 1,
    "CDI": 15,
    "CGROUP": 8,
    "COMPOSE": 2,
    "DRIVER": 21,
    "ENGINE": 9,
    "GRAPHICS": 4,
    "IMAGE": 10,
    "INSTALL": 1,
    "JETSON": 2,
    "K8S": 16,
    "LDCACHE": 6,
    "MIG": 3,
    "MODE": 4,
    "PERM": 12,
    "SANDBOX": 2,
    "SECURITY": 2,
    "WSL": 3,
}
"""How many failure modes each area has; they are numbered from 1 without a gap."""

SENTENCES = ("why", "tell", "remedy")


def test_every_failure_mode_is_there_and_no_other():
    assert set(all_modes()) == {f"D-{area}-{number + 1}" for area, count in AREAS.items() for number in range(count)}


def test_no_id_stands_in_two_files():
    folder = os.path.join(os.path.dirname(sys.modules[all_modes.__module__].__file__), "modes")
    ids = []
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            found = re.findall(r'^id = "(.+)"$', file.read(), re.MULTILINE)
        assert {one.split("-")[1].lower() for one in found} == {name.removesuffix(".toml")}
        ids += found
    assert len(ids) == len(set(ids)) == sum(AREAS.values())


@pytest.mark.parametrize("mode", all_modes().values(), ids=lambda mode: mode.id)
def test_every_part_says_something(mode):
    assert 3 <= len(mode.title.split()) <= 14
    assert not mode.title.endswith(".")
    assert mode.symptoms
    assert all(symptom.strip() == symptom and symptom for symptom in mode.symptoms)
    for part in SENTENCES:
        text = getattr(mode, part)
        assert len(text) >= 25, part
        assert text.endswith("."), part
        assert "  " not in text, part
        assert "†" not in text, part


@pytest.mark.parametrize("mode", all_modes().values(), ids=lambda mode: mode.id)
def test_every_signature_compiles_and_recognises_a_symptom_of_its_own(mode):
    for signature in mode.signatures:
        pattern = re.compile(signature, re.IGNORECASE)
        assert any(pattern.search(symptom) for symptom in mode.symptoms), signature
        assert not pattern.search(""), signature


@pytest.mark.parametrize("mode", all_modes().values(), ids=lambda mode: mode.id)
def test_a_signature_repeats_nothing_without_a_bound(mode):
    for signature in mode.signatures:
        assert not re.search(r"(?<!\\)[*+]", re.sub(r"\[[^]]*\]", "", signature)), signature
        assert not re.search(r"\{\d+,\}", signature), signature


@pytest.mark.parametrize("mode", all_modes().values(), ids=lambda mode: mode.id)
def test_a_signature_has_alternatives_in_groups_only(mode):
    for signature in mode.signatures:
        outside = re.sub(r"\\.|\[[^]]*\]", "", signature)
        while outside != (outside := re.sub(r"\([^()]*\)", "", outside)):
            pass
        assert "|" not in outside, signature


@pytest.mark.parametrize("mode", all_modes().values(), ids=lambda mode: mode.id)
def test_links_are_full_addresses(mode):
    assert 1 <= len(mode.links) <= 5
    assert len(set(mode.links)) == len(mode.links)
    for link in mode.links:
        assert re.fullmatch(r"https://(github\.com/[\w.-]+/[\w.-]+/issues/\d+|[\w.-]+/\S+)", link), link


def test_every_command_of_linkspan_that_is_named_exists_with_its_options():
    known = {words: command for name in main.COMMANDS for words, command in trees(main.load(name), (name,))}
    for mode in all_modes().values():
        text = " ".join(getattr(mode, part) for part in SENTENCES)
        for quoted in re.findall(r"'linkspan ([^']+)'", text):
            words = quoted.split()
            path = max(
                (known_as for known_as in known if tuple(words[: len(known_as)]) == known_as), key=len, default=()
            )
            assert path, f"{mode.id}: {quoted}"
            options = {name for parameter in known[path].params for name in parameter.opts}
            assert {word for word in words if word.startswith("--")} <= options, f"{mode.id}: {quoted}"


def trees(command, words):
    yield words, command
    for name, child in getattr(command, "commands", {}).items():
        yield from trees(child, (*words, name))


@pytest.mark.allow_subprocess
def test_the_wheel_has_the_catalogue(tmp_path):
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), root],
        check=True,
        capture_output=True,
        timeout=300,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {f"linkspan/check/modes/{area.lower()}.toml" for area in AREAS} <= set(names)
