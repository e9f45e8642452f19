"""The spec for the recorded host beside what the toolkit 1.20 wrote for it: the same, but for what is named here."""

import os
from itertools import pairwise

import pytest

from linkspan.emit.cdi import document, to_yaml
from linkspan.formats import hookargs
from linkspan.formats.cdi_reader import read
from linkspan.plan.cdi import CdiOptions, plan_cdi
from tests import hosts

EXPECTED = os.path.join(hosts.GOLDEN, "h100x8-550", "expected.cdi.yaml")
FOLDER = "/usr/lib/x86_64-linux-gnu"
HOOK = "/usr/local/bin/linkspan-hook"

MORE_LINKS = {
    f"libnvidia-egl-gbm.so.1.1.2::{FOLDER}/libnvidia-egl-gbm.so.1": "the toolkit leaves this SONAME to ldconfig, "
    "which it runs in the container; we run no program there, so the link is named",
    f"libnvidia-egl-wayland.so.1.1.18::{FOLDER}/libnvidia-egl-wayland.so.1": "as above",
}
"""Links that the toolkit's spec does not name, and why ours does."""

ONE_HOOK = {
    "create-symlinks": "--link",
    "enable-cuda-compat": "--driver-version",
    "update-ldcache": "--loadable",
    "update-application-profile": "--application-profile",
}
"""The toolkit's hooks, each a process in every container's start, and the argument of our one hook for its work."""

NO_HOOK = {
    "disable-device-node-modification": "the recording has no /proc/driver/nvidia/params, so there is nothing to mask: "
    "the facts know that beforehand, the toolkit's hook finds it out in every container",
}
"""The toolkit's hooks that ours has no argument for on this host, and why."""


@pytest.fixture(scope="module")
def expected():
    with open(EXPECTED, "rb") as file:
        return read(file.read()).document


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("driver-root")
    spec = document(plan_cdi(hosts.golden(root), CdiOptions()), HOOK)
    return read(to_yaml(spec).replace(str(root), "/driver-root").encode()).document


def hooks(spec):
    """The arguments of a spec's hooks, by what each is to do."""
    found = [hook["args"][1:] for hook in spec["containerEdits"]["hooks"]]
    return {name: [word for verb, *words in found if verb == name for word in words] for name, *_ in found}


def values(arguments, flag):
    return [value for name, value in pairwise(arguments) if name == flag]


def own_arguments(spec):
    return hooks(spec)[hookargs.VERB]


def test_the_recording_is_written_back_byte_for_byte(expected):
    with open(EXPECTED, encoding="utf-8") as file:
        assert to_yaml(expected) == file.read()


def test_everything_but_the_hooks_is_the_same(expected, made):
    def without_hooks(spec):
        edits = {key: value for key, value in spec["containerEdits"].items() if key != "hooks"}
        return {**spec, "containerEdits": edits}

    assert without_hooks(made) == without_hooks(expected)


def test_fields_and_entries_have_the_same_order(expected, made):
    def order(spec):
        edits = {key: value for key, value in spec["containerEdits"].items() if key != "hooks"}
        return list(spec), list(spec["containerEdits"]), to_yaml({**spec, "containerEdits": edits})

    assert order(made) == order(expected)


def test_there_is_one_hook_in_place_of_six(expected, made):
    assert len(expected["containerEdits"]["hooks"]) == 6
    [hook] = made["containerEdits"]["hooks"]
    assert (hook["hookName"], hook["path"], hook["args"][0]) == ("createContainer", HOOK, "linkspan-hook")


def test_the_one_hook_does_what_the_six_do(expected, made):
    assert set(hooks(expected)) == {*ONE_HOOK, *NO_HOOK}
    assert set(ONE_HOOK.values()) <= set(own_arguments(made))
    assert "--mask-params" not in own_arguments(made)


def test_links_are_the_same_but_for_those_that_ldconfig_would_make(expected, made):
    ours = set(values(own_arguments(made), "--link"))
    theirs = set(values(hooks(expected)["create-symlinks"], "--link"))
    assert ours - theirs == set(MORE_LINKS)
    assert theirs <= ours


def test_the_folders_of_the_loader_cache_are_the_same(expected, made):
    folders = {os.path.dirname(path) for path in values(own_arguments(made), "--loadable")}
    assert folders == set(values(hooks(expected)["update-ldcache"], "--folder"))


def test_every_link_that_a_program_may_load_is_in_the_loader_cache(made):
    loadable = set(values(own_arguments(made), "--loadable"))
    links = {link.partition("::")[2] for link in values(own_arguments(made), "--link")}
    assert {link for link in links if os.path.basename(link).startswith("lib")} <= loadable


def test_the_compatibility_libraries_are_compared_with_the_same_driver(expected, made):
    [version] = values(own_arguments(made), "--driver-version")
    assert hooks(expected)["enable-cuda-compat"] == [f"--host-driver-version={version}"]


def test_the_hook_never_gets_the_environment_of_the_container(made):
    [hook] = made["containerEdits"]["hooks"]
    assert hook["env"] == ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]


def test_the_work_reads_back_from_the_arguments(made):
    work = hookargs.parse(own_arguments(made), "x86_64")
    assert len(work["links"]) == len(values(own_arguments(made), "--link"))
    assert work["compat"]["driver"] == "550.163.01"
