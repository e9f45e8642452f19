from linkspan.runtime import patch


def test_no_edits_leave_the_specification_alone():
    spec = {"process": {"env": ["A=1"]}, "x-unknown": {"deep": [1]}}
    assert patch.apply(spec, {}) is False
    assert spec == {"process": {"env": ["A=1"]}, "x-unknown": {"deep": [1]}}


def test_variables_are_appended_and_never_replace_the_containers_own():
    spec = {"process": {"env": ["NVIDIA_VISIBLE_DEVICES=0"]}}
    assert patch.apply(spec, {"env": ["NVIDIA_VISIBLE_DEVICES=void"]})
    assert spec["process"]["env"] == ["NVIDIA_VISIBLE_DEVICES=0", "NVIDIA_VISIBLE_DEVICES=void"]


def test_a_device_replaces_one_of_the_same_path_and_gets_its_cgroup_rule():
    spec = {"linux": {"devices": [{"path": "/dev/nvidia0", "minor": 9}, {"path": "/dev/fuse"}]}}
    rule = {"allow": True, "type": "c", "major": 195, "minor": 0, "access": "rwm"}
    node = {"path": "/dev/nvidia0", "type": "c", "major": 195, "minor": 0}
    patch.apply(spec, {"devices": [node], "rules": [rule]})
    assert spec["linux"]["devices"] == [{"path": "/dev/fuse"}, node]
    assert spec["linux"]["resources"]["devices"] == [rule]


def test_an_unprivileged_process_owns_its_nodes_unless_the_edits_say_otherwise():
    spec = {"process": {"user": {"uid": 1000, "gid": 0}}}
    patch.apply(spec, {"devices": [{"path": "/dev/a"}, {"path": "/dev/b", "uid": 7, "gid": 44}]})
    assert spec["linux"]["devices"] == [{"uid": 1000, "path": "/dev/a"}, {"uid": 7, "path": "/dev/b", "gid": 44}]


def test_mounts_replace_by_destination_and_parents_come_first():
    spec = {"mounts": [{"destination": "/a/b/c"}, {"destination": "/a"}, {"destination": "/x/y", "source": "old"}]}
    patch.apply(spec, {"mounts": [{"destination": "/x/y", "source": "new"}, {"destination": "/z"}]})
    assert [entry["destination"] for entry in spec["mounts"]] == ["/a", "/z", "/x/y", "/a/b/c"]
    assert spec["mounts"][2]["source"] == "new"


def test_groups_are_added_once_and_never_root():
    spec = {"process": {"user": {"additionalGids": [44]}}}
    patch.apply(spec, {"gids": [0, 44, 109]})
    assert spec["process"]["user"]["additionalGids"] == [44, 109]


def test_the_toolkits_hook_is_removed_from_every_stage():
    hooks = {
        "prestart": [{"path": "/usr/bin/nvidia-container-runtime-hook"}, {"path": "/bin/other"}],
        "createRuntime": [{"path": "/opt/nvidia-container-toolkit"}],
        "poststop": None,
    }
    spec = {"hooks": hooks}
    names = ["nvidia-container-runtime-hook", "nvidia-container-toolkit"]
    assert patch.apply(spec, {"remove_hooks": names}) is True
    assert hooks == {"prestart": [{"path": "/bin/other"}], "createRuntime": [], "poststop": None}
    assert patch.apply(spec, {"remove_hooks": names}) is False


def test_the_legacy_hook_is_added_once():
    spec = {}
    edits = {"ensure_hooks": {"prestart": [{"path": "/usr/bin/nvidia-container-runtime-hook"}]}}
    assert patch.apply(spec, edits) is True
    assert patch.apply(spec, edits) is False
    assert len(spec["hooks"]["prestart"]) == 1


def test_hooks_and_other_members_are_merged():
    spec = {"linux": {"netDevices": {"eth0": {}}}, "hooks": {"createContainer": [{"path": "/a"}]}}
    edits = {
        "hooks": {"createContainer": [{"path": "/b"}]},
        "other": {"netDevices": {"eth1": {}}, "intelRdt": {"l": 1}},
    }
    patch.apply(spec, edits)
    patch.add_hook(spec, {"path": "/c"})
    assert [entry["path"] for entry in spec["hooks"]["createContainer"]] == ["/a", "/b", "/c"]
    assert spec["linux"] == {"netDevices": {"eth0": {}, "eth1": {}}, "intelRdt": {"l": 1}}
