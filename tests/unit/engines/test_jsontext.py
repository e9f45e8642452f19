"""JSON edited in place."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkspan.engines import edits, jsontext
from linkspan.engines.model import Setting
from linkspan.errors import ConfigError

PATH = ("runtimes", "nvidia")
ENTRY = {"path": "/usr/local/bin/linkspan-runtime"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", '{\n    "runtimes": {\n        "nvidia": {\n            "path": "/x"\n        }\n    }\n}\n'),
        ("{}", '{\n    "runtimes": {\n        "nvidia": {\n            "path": "/x"\n        }\n    }\n}'),
        ('{"a": 1}', '{"a": 1, "runtimes": {"nvidia": {"path": "/x"}}}'),
        ('{\n  "a": 1\n}', '{\n  "a": 1,\n  "runtimes": {\n    "nvidia": {\n      "path": "/x"\n    }\n  }\n}'),
        ('{\n\t"a": 1\n}', '{\n\t"a": 1,\n\t"runtimes": {\n\t\t"nvidia": {\n\t\t\t"path": "/x"\n\t\t}\n\t}\n}'),
        (
            '{\r\n  "runtimes": {\r\n    "k": {}\r\n  }\r\n}',
            '{\r\n  "runtimes": {\r\n    "k": {},\r\n    "nvidia": {\r\n      "path": "/x"\r\n    }\r\n  }\r\n}',
        ),
        ('{\n  "runtimes": {"k": {}}\n}', '{\n  "runtimes": {"k": {}, "nvidia": {"path": "/x"}}\n}'),
    ],
)
def test_a_member_is_written_in_the_manner_of_the_file(old, new):
    assert jsontext.put(old, PATH, {"path": "/x"}) == new


def test_a_value_is_replaced_where_it_stands():
    text = '{ "runtimes" : {"nvidia":{"path" : "old" , "x":1}} }'
    assert jsontext.put(text, (*PATH, "path"), "new") == text.replace('"old"', '"new"')


@pytest.mark.parametrize(
    ("text", "path", "rest"),
    [
        ('{"a": 1, "b": 2, "c": 3}', ("a",), '{"b": 2, "c": 3}'),
        ('{"a": 1, "b": 2, "c": 3}', ("b",), '{"a": 1, "c": 3}'),
        ('{"a": 1, "b": 2, "c": 3}', ("c",), '{"a": 1, "b": 2}'),
        ('{"a": {"b": 2}}', ("a", "b"), '{"a": {}}'),
        ('{"a": {"b": 2}}', ("a", "x"), '{"a": {"b": 2}}'),
        ('{"a": 1}', ("x", "y"), '{"a": 1}'),
    ],
)
def test_a_member_is_taken_out_with_one_comma(text, path, rest):
    assert jsontext.cut(text, path) == rest


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1,}', "f:1:9: not valid JSON: "),
        ('{\n"a": 1\n"b": 2}', "f:3:1: not valid JSON: expecting ',' delimiter"),
        ("[]", "f:1:1: not valid JSON: an array where an object has to be"),
        ("1", "f:1:1: not valid JSON: a value where an object has to be"),
        ('{"a": 1,\n "a": 2}', 'f:2:2: not valid JSON: "a" stands twice in one object'),
        ('{"a": Infinity}', "f is not valid JSON: Infinity is no JSON number"),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(text, message):
    with pytest.raises(ConfigError) as caught:
        jsontext.parse(text, "f")
    assert caught.value.message.startswith(message)


keys = st.text(max_size=6) | st.sampled_from(["runtimes", "nvidia", "features", "path", "cdi"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
documents = st.dictionaries(keys, values, max_size=5)
styles = st.sampled_from([None, 0, 1, 2, 4, "\t", "   "])
separators = st.sampled_from([(",", ":"), (", ", ": "), (" ,", " :  "), (",\n", ": ")])
line_ends = st.sampled_from(["\n", "\r\n"])


@given(documents, styles, separators, line_ends, st.booleans())
def test_any_document_keeps_everything_else(document, indent, separator, line_end, ascii_only):
    for key in ("runtimes", "features"):
        if not isinstance(document.get(key, {}), dict):
            del document[key]
    text = json.dumps(document, indent=indent, separators=separator, ensure_ascii=ascii_only).replace("\n", line_end)
    settings = [
        Setting(path=PATH, value=ENTRY, mark=("path",)),
        Setting(path=("features", "cdi"), value=True),
        Setting(path=("default-runtime",), value="nvidia"),
    ]
    edited, changes = edits.apply(jsontext, text, settings, "f")
    expected = {**document, "default-runtime": "nvidia"}
    expected["runtimes"] = {**document.get("runtimes", {}), "nvidia": ENTRY}
    expected["features"] = {**document.get("features", {}), "cdi": True}
    assert edits.same(json.loads(edited), expected)
    assert edits.apply(jsontext, edited, settings, "f") == (edited, ())
    assert edits.same(json.loads(edits.undo(jsontext, edited, changes, "f")), document)


@given(documents.filter(bool), styles, line_ends)
def test_undone_beside_other_members_not_a_byte_differs(document, indent, line_end):
    if not isinstance(document.get("runtimes", {}), dict) or not document.get("runtimes", {"": 1}):
        del document["runtimes"]
    if "nvidia" in document.get("runtimes", {}) or not document:
        return
    text = json.dumps(document, indent=indent).replace("\n", line_end)
    edited, changes = edits.apply(jsontext, text, [Setting(path=PATH, value=ENTRY, mark=("path",))], "f")
    assert edits.undo(jsontext, f" {edited}\n", changes, "f") == f" {text}\n"
