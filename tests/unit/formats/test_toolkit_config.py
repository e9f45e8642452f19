import tomllib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from linkspan.errors import ConfigError
from linkspan.formats import toolkit_config
from linkspan.formats.toolkit_config import ToolkitConfig, config_path, lines, parse
from linkspan.plan.model import CAPABILITIES
from tests.unit.default_config import DEFAULT

PATH = "/etc/nvidia-container-runtime/config.toml"


def refusal(text: str | bytes) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse(text, PATH)
    return caught.value


def test_an_empty_file_means_every_default():
    assert parse("", PATH) == ToolkitConfig()


def test_the_default_ceiling_of_capabilities_is_all_that_the_planner_knows():
    assert tuple(ToolkitConfig().supported_driver_capabilities.split(",")) == CAPABILITIES


def test_a_file_overrides_key_by_key():
    config = parse(
        '[nvidia-container-runtime]\nmode = "cdi"\n[nvidia-container-runtime.modes.cdi]\nspec-dirs = []\n', PATH
    )
    runtime = config.nvidia_container_runtime
    assert runtime.mode == "cdi"
    assert runtime.modes.cdi.spec_dirs == ()
    assert runtime.modes.cdi.default_kind == "nvidia.com/gpu"
    assert runtime.runtimes == ("runc", "crun")


def test_keys_and_tables_that_we_do_not_know_are_ignored():
    assert parse('new = 1\n[later]\nx = "y"\n[nvidia-ctk]\ncolour = true\n', PATH) == ToolkitConfig()


def test_what_the_toolkit_writes_by_default_reads_as_the_defaults():
    assert parse(DEFAULT, PATH) == ToolkitConfig()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n\ndisable-require = 1", ":3: disable-require is the number 1, not true or false"),
        ("swarm-resource = true", ":1: swarm-resource is true, not a string"),
        ("swarm-resource = 1979-05-27", ":1: swarm-resource is a date or time, not a string"),
        (
            '[nvidia-container-cli]\nroot = "/"\n[nvidia-ctk]\npath = 1',
            ":4: nvidia-ctk.path is the number 1, not a string",
        ),
        ('nvidia-ctk = "x"', ':1: nvidia-ctk is the string "x", not a table'),
        ('[[nvidia-ctk]]\npath = "x"', ":1: nvidia-ctk is a list"),
        ("[nvidia-container-cli]\nroot.x = 1", ":2: nvidia-container-cli.root is a table, not a string"),
        (
            '[nvidia-container-runtime]\n# a comment\nmode = "fast"',
            ':3: nvidia-container-runtime.mode is the string "fast", not one of auto, legacy, csv, cdi, jit-cdi',
        ),
        (
            '[nvidia-container-runtime]\nlog-level = "loud"',
            ':2: nvidia-container-runtime.log-level is the string "loud", not one of trace, debug, info,',
        ),
        (
            'x = """\nmode = 1\n"""\nnvidia-container-runtime.modes = {legacy = {cuda-compat-mode = "x"}}',
            ':4: nvidia-container-runtime.modes.legacy.cuda-compat-mode is the string "x", not one of disabled, hook,',
        ),
        (
            "[nvidia-container-runtime]\nruntimes = [\n  'runc',\n  7,\n]",
            ":2: nvidia-container-runtime.runtimes is a list of other things than strings, not a list of strings",
        ),
        ('[nvidia-container-runtime]\nruntimes = "runc"', 'runtimes is the string "runc", not a list of strings'),
        (
            '[nvidia-container-cli]\nroot = "/"\nldconfig = "/sbin/ldconfig"',
            ':3: nvidia-container-cli.ldconfig is "/sbin/ldconfig", a program of the image: it has to begin with @',
        ),
        (
            'supported-driver-capabilities = "compute, gpu"',
            ':1: supported-driver-capabilities names "gpu", which is no driver capability',
        ),
        ("a = 1\nb = \n", ":2: not valid TOML: invalid value"),
        ("a = 1\nb = [\n", ":2: not valid TOML: "),
        ("a = " + "[" * 5000, ": not valid TOML: "),
        (b"a = 1\nb = '\xff'", ":2: byte 0xff is not UTF-8"),
    ],
)
def test_a_bad_value_is_named_with_its_line_and_what_would_be_right(text, message):
    error = refusal(text)
    assert message in error.message
    assert error.message.startswith(PATH)
    assert error.subject.startswith(PATH)
    assert error.hint


def test_a_long_value_is_shortened_in_the_message():
    assert len(refusal(f'disable-require = "{"x" * 5000}"').message) < 200


def test_an_ldconfig_of_the_image_is_accepted_where_the_feature_allows_it():
    text = '[nvidia-container-cli]\nldconfig = "/sbin/x"\n[features]\nallow-ldconfig-from-container = true'
    assert parse(text, PATH).nvidia_container_cli.ldconfig == "/sbin/x"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, (PATH, False)),
        ({"XDG_CONFIG_HOME": "/home/x/.config"}, ("/home/x/.config/nvidia-container-runtime/config.toml", False)),
        ({"XDG_CONFIG_HOME": "", "NVIDIA_CTK_CONFIG_FILE_PATH": ""}, (PATH, False)),
        ({"XDG_CONFIG_HOME": "/x", "NVIDIA_CTK_CONFIG_FILE_PATH": "/c.toml"}, ("/c.toml", True)),
    ],
)
def test_the_first_place_that_applies_is_the_file(environ, expected):
    assert config_path(environ) == expected


def test_every_key_of_the_contract_is_a_setting():
    keys = {".".join(key) for key, _ in toolkit_config.settings(ToolkitConfig())}
    assert {
        "nvidia-container-runtime.modes.jit-cdi.nvcdi-disable-hooks",
        "features.ignore-imex-channel-requests",
    } < keys
    assert len(keys) == 37


def test_lines_are_those_where_a_value_begins():
    text = '[a]\n# x = 1\nb = """\nc = 1\n"""\nd = [\n 1,\n]\n["q.r".s]\nt.u = {v = 1, w = 2}\n'
    assert lines(text) == {
        ("a",): 1,
        ("a", "b"): 3,
        ("a", "d"): 6,
        ("q.r", "s"): 9,
        ("q.r", "s", "t", "u", "v"): 10,
        ("q.r", "s", "t", "u", "w"): 10,
    }


keys = st.sampled_from(
    ["disable-require", "[features]", "[nvidia-container-runtime]", "mode", "runtimes", "[[a]]", "a.b", '"q.r"', "x"]
)
values = st.sampled_from(["", "= 1", "= true", '= "cdi"', "= [", "]", "= {a = 1}", '= """', '"""', "# c", "\r", "\x0b"])


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(keys, values)).map(lambda rows: "\n".join(f"{key} {value}" for key, value in rows)) | st.text()
)
@example("a = 1\r\nb = 2\r\n")
def test_any_text_is_read_or_refused_with_a_sentence(text):
    try:
        parse(text, PATH)
    except ConfigError as error:
        assert error.message.startswith(PATH)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(keys, values)).map(lambda rows: "\n".join(f"{key} {value}" for key, value in rows)))
def test_every_key_of_a_valid_file_has_a_line(text):
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert {key[0] for key in lines(text)} == set(tree)


@settings(max_examples=200, deadline=None)
@given(st.binary())
def test_any_bytes_are_read_or_refused(data):
    try:
        parse(data, PATH)
    except ConfigError as error:
        assert error.hint
