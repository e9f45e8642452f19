"""What the rules of each engine say beside the settings."""

import pytest

from linkspan.engines import containerd, crio, docker, podman, rancher
from linkspan.engines.model import Change, Setting, Wanted, get
from linkspan.errors import ConfigError

CRI = ("plugins", "io.containerd.grpc.v1.cri")


def change(*path, old=None):
    return Change(path=path, new=True, old=old)


@pytest.mark.parametrize(
    ("paths", "undone", "needed"),
    [
        ([], False, "none"),
        ([("runtimes", "nvidia")], False, "reload"),
        ([("runtimes", "nvidia"), ("default-runtime",)], False, "reload"),
        ([("runtimes", "nvidia"), ("default-runtime",)], True, "restart"),
        ([("features", "cdi")], False, "restart"),
        ([("features", "cdi")], True, "restart"),
    ],
)
def test_what_docker_needs_depends_on_what_was_changed(paths, undone, needed):
    assert docker.activation(tuple(change(*path) for path in paths), undone=undone) == needed


def test_a_default_of_docker_that_was_replaced_is_reloaded_both_ways():
    assert docker.activation((change("default-runtime", old='"crun"'),), undone=True) == "reload"


@pytest.mark.parametrize("rules", [containerd, crio, rancher])
def test_the_others_are_restarted(rules):
    assert rules.activation((change("x"),), undone=False) == "restart"
    assert rules.activation((), undone=False) == "none"
    assert podman.activation((change("x"),), undone=True) == "none"


@pytest.mark.parametrize(
    ("rules", "version", "needed"),
    [
        (docker, (), True), (docker, (24, 0, 9), None), (docker, (25, 0), True), (docker, (28, 2, 2), True),
        (docker, (28, 3), False), (docker, (29, 0), False),
        (containerd, (), True), (containerd, (1, 6, 33), None), (containerd, (1, 7), True), (containerd, (2, 0), False),
        (podman, (5, 0), None), (crio, (1, 30), None), (rancher, (), None),
    ],
)  # fmt: skip
def test_which_versions_have_a_switch_for_cdi(rules, version, needed):
    assert rules.needs_cdi_switch(version) is needed


@pytest.mark.parametrize(
    ("tree", "wanted", "note"),
    [
        ({"version": 2, "disabled_plugins": ["cri"]}, Wanted(), "the CRI plugin is in disabled_plugins"),
        ({"version": 2, "disabled_plugins": [CRI[1]]}, Wanted(), "the CRI plugin is in disabled_plugins"),
        (
            {"version": 2, "plugins": {CRI[1]: {"cdi_spec_dirs": []}}},
            Wanted(),
            "cdi_spec_dirs names no folder: CDI specs elsewhere are not seen",
        ),
        (
            {"version": 2, "plugins": {CRI[1]: {"enable_cdi": False}}},
            Wanted(version=(2, 1)),
            "somebody switched CDI off by enable_cdi, and it stays off; --cdi switches it on",
        ),
        ({"version": 2}, Wanted(cdi=True, version=(1, 6, 20)), "containerd 1.6.20 knows no CDI"),
    ],
)
def test_what_keeps_containerd_from_using_it_is_told(tree, wanted, note):
    assert containerd.notes(tree, wanted)[0].startswith(note)


@pytest.mark.parametrize(
    ("rules", "tree"), [(containerd, {"version": 2}), (docker, {}), (crio, {}), (rancher, {"blocks": {}, "others": {}})]
)
def test_where_all_is_well_nothing_is_told(rules, tree):
    assert rules.notes(tree, Wanted()) == []


@pytest.mark.parametrize(
    ("version", "plugin"),
    [
        ({}, ("plugins", "cri")),
        ({"version": 1}, ("plugins", "cri")),
        ({"version": 2}, CRI),
        ({"version": 3}, ("plugins", "io.containerd.cri.v1.runtime")),
        ({"version": 4}, ("plugins", "io.containerd.cri.v1.runtime")),
    ],
)
def test_the_version_of_a_file_tells_where_containerd_looks(version, plugin):
    assert containerd.plugin(version) == plugin


def test_an_old_shim_has_another_name_for_the_program():
    runc = {"runtime_type": "io.containerd.runtime.v1.linux"}
    tree = {"plugins": {"cri": {"containerd": {"runtimes": {"runc": runc}}}}}
    made = containerd.settings(tree, {}, Wanted(program="/p"))
    assert [get(setting.value, ("options", "Runtime")) for setting in made] == ["/p"]


def test_a_program_with_braces_is_no_program_for_a_template():
    with pytest.raises(ConfigError, match="has braces, which mean something in a template"):
        rancher.settings({"blocks": {}, "others": {}}, {}, Wanted(program="/a/{{b}}"))


def test_a_template_cannot_switch_cdi_which_is_told():
    assert "stays as it is there" in rancher.notes({}, Wanted(cdi=True))[0]


def test_an_entry_of_ours_is_not_the_model_for_another():
    mine = {"runtime_path": "/usr/local/bin/linkspan-runtime", "privileged": True}
    tree = {"crio": {"runtime": {"default_runtime": "a", "runtimes": {"a": mine}}}}
    made = crio.settings(tree, {}, Wanted(name="b", program="/p"))
    assert made[0].value == {"runtime_path": "/p", "runtime_type": "oci"}
    assert isinstance(made[0], Setting)
