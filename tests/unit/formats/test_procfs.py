import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkspan.errors import FormatError
from linkspan.formats import procfs

PROPRIETARY = """\
NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.163.01  Tue Apr  8 12:41:17 UTC 2025
GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)
"""
OPEN = "NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  580.65.06  Release Build  (dvs-builder@U22-1.2)\n"


def test_the_proprietary_module_is_told_from_the_open_one():
    assert procfs.driver_version(PROPRIETARY) == ("550.163.01", False)
    assert procfs.driver_version(OPEN) == ("580.65.06", True)


@pytest.mark.parametrize("text", ["", "GCC version: 12.2.0", "NVRM version: none"])
def test_a_version_file_without_a_version_is_refused(text):
    with pytest.raises(FormatError, match="NVRM version"):
        procfs.driver_version(text)


def test_only_character_devices_count_and_the_first_major_of_a_name():
    text = "Character devices:\n  1 mem\n195 nvidia\n510 nvidia-uvm\n511 nvidia-uvm\n\nBlock devices:\n  8 sd\n"
    assert procfs.devices(text) == {"mem": 1, "nvidia": 195, "nvidia-uvm": 510}


def test_a_device_line_without_a_number_is_named():
    with pytest.raises(FormatError, match="line 2 has 'x' where a number belongs"):
        procfs.devices("Character devices:\nx mem\n")


def test_modules_come_with_their_users():
    text = "nvidia 8 3 nvidia_uvm,nvidia_modeset, Live 0x0 (POE)\nnvidia_uvm 8 0 - Live 0x0\n"
    assert procfs.modules(text) == [("nvidia", ("nvidia_uvm", "nvidia_modeset")), ("nvidia_uvm", ())]


def test_a_module_line_that_is_too_short_is_named():
    with pytest.raises(FormatError, match="line 1 has 2 fields"):
        procfs.modules("nvidia 8")


def test_params_keep_their_values_as_written():
    assert procfs.params('ModifyDeviceFiles: 1\nRegistryDwords: "A:B"\n') == {
        "ModifyDeviceFiles": "1",
        "RegistryDwords": '"A:B"',
    }


def test_a_gpu_information_is_read_with_its_tabs():
    text = "Model: \t\t NVIDIA H100\nBus Location: \t 0000:1a:00.0\nDevice Minor: \t 0\n"
    assert procfs.gpu_information(text) == {
        "Model": "NVIDIA H100",
        "Bus Location": "0000:1a:00.0",
        "Device Minor": "0",
    }


def test_a_line_without_a_colon_is_named():
    with pytest.raises(FormatError, match="line 2 has no colon"):
        procfs.params("A: 1\nB\n")


def test_mig_minors_map_names_to_numbers():
    assert procfs.mig_minors("config 1\ngpu0/gi1/ci0/access 13\n") == {"config": 1, "gpu0/gi1/ci0/access": 13}


@pytest.mark.parametrize("text", ["config", "config x"])
def test_a_mig_minor_without_a_number_is_refused(text):
    with pytest.raises(FormatError, match="line 1"):
        procfs.mig_minors(text)


def test_a_mount_point_is_read_with_any_number_of_optional_fields():
    for optional in ("", "shared:1 ", "shared:1 master:2 "):
        (mount,) = procfs.mountinfo(f"36 35 98:0 /mnt1 /a\\040b rw,noatime {optional}- ext3 /dev/root rw,errors=x\n")
        assert mount == ((98, 0), "/mnt1", "/a b", ("rw", "noatime"), "ext3", "/dev/root", ("rw", "errors=x"))


def test_a_mount_without_a_source_is_read():
    assert procfs.mountinfo("36 35 0:1 / /a rw - tmpfs  rw")[0].source == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("36 35 98:0 / /a rw", "line 1 is not a mount"),
        ("36 35 98:0 / - ext3 x rw", "line 1 is not a mount"),
        ("36 35 98:0 / /a rw - ext3", "line 1 is not a mount"),
        ("36 35 98 / /a rw - ext3 x rw", "line 1 has '' where a number belongs"),
        ("36 35 98:0 / /a\\9 rw - ext3 x rw", "line 1 has a backslash"),
    ],
)
def test_a_bad_mount_is_refused_with_its_line(text, message):
    with pytest.raises(FormatError, match=message):
        procfs.mountinfo(text)


def test_a_number_of_any_length_is_refused_in_our_own_words():
    with pytest.raises(FormatError, match="where a number belongs"):
        procfs.mig_minors("config " + "9" * 5000)


PARSERS = [
    procfs.driver_version,
    procfs.devices,
    procfs.modules,
    procfs.params,
    procfs.gpu_information,
    procfs.mig_minors,
    procfs.mountinfo,
]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(PARSERS), st.one_of(st.text(), st.text(alphabet="0159 :-,\\/\nacd")))
def test_no_text_leads_to_anything_but_a_value_or_a_format_error(parse, text):
    try:
        assert parse(text) is not None
    except FormatError as error:
        assert error.message
