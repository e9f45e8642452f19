"""TOML edited in place."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkspan.engines import edits, tomltext
from linkspan.engines.model import Setting
from linkspan.engines.tomlscan import scan
from linkspan.errors import ConfigError

RUNTIMES = ("plugins", "io.containerd.grpc.v1.cri", "containerd", "runtimes")
ENTRY = {"runtime_type": "io.containerd.runc.v2", "options": {"BinaryName": "/x", "SystemdCgroup": True}}


def test_statements_are_found_with_their_places():
    text = '# c\n[a."b.c"]  # d\n  x.y = """]\n"""\n\nz = { p = 1, q = { r = [ 1, # }\n 2 ] } }\n[[l]]\n'
    found = {(item.kind, item.key): text[item.value_start : item.value_end] for item in scan(text)}
    assert found == {
        ("header", ("a", "b.c")): "",
        ("pair", ("a", "b.c", "x", "y")): '"""]\n"""',
        ("pair", ("a", "b.c", "z")): "{ p = 1, q = { r = [ 1, # }\n 2 ] } }",
        ("inline", ("a", "b.c", "z", "p")): "1",
        ("inline", ("a", "b.c", "z", "q")): "{ r = [ 1, # }\n 2 ] }",
        ("inline", ("a", "b.c", "z", "q", "r")): "[ 1, # }\n 2 ]",
        ("array", ("l",)): "",
    }


@pytest.mark.parametrize(
    ("old", "path", "value", "new"),
    [
        ("", ("a", "b"), 1, "[a]\nb = 1\n"),
        ("", ("b",), 1, "b = 1\n"),
        ("x = 1\n", ("a", "b"), 1, "x = 1\n\n[a]\nb = 1\n"),
        ("x = 1", ("a", "b"), 1, "x = 1\n\n[a]\nb = 1"),
        ("[a]\nx = 1 # c\n\n[c]\n", ("a", "b"), "é", '[a]\nx = 1 # c\nb = "é"\n\n[c]\n'),
        ("[a]\n  x = 1\n[c]\n", ("a", "b"), 1, "[a]\n  x = 1\n  b = 1\n[c]\n"),
        ("  [a]\n    x = 1\n  [c]\n", ("c", "b"), 1, "  [a]\n    x = 1\n  [c]\n    b = 1\n"),
        ("a.x = 1\ny = 2\n", ("a", "b"), 1, "a.x = 1\na.b = 1\ny = 2\n"),
        ("a = { x = 1 }\n", ("a", "b"), [1, "c"], 'a = { x = 1, b = [1, "c"] }\n'),
        ("a = {}\n", ("a", "b", "c"), 1, "a = { b.c = 1 }\n"),
        ("[a]\nb = 2 # old\n", ("a", "b"), True, "[a]\nb = true # old\n"),
        ("[a]\r\nx = 1\r\n", ("a", "b"), 1, "[a]\r\nx = 1\r\nb = 1\r\n"),
        ("[a.b.c]\nx = 1\n", ("a", "b", "y"), 1, "[a.b.c]\nx = 1\n\n[a.b]\ny = 1\n"),
    ],
)
def test_a_pair_is_written_in_the_manner_of_the_file(old, path, value, new):
    assert tomltext.put(old, path, value) == new
    tomllib.loads(new)


def test_a_table_stands_after_its_siblings_as_they_stand():
    old = "[a]\n  [a.r]\n    [a.r.one]\n      x = 1\n      [a.r.one.options]\n        y = 2\n  [a.z]\n[b]\n"
    new = old.replace("  [a.z]", "\n    [a.r.two]\n      x = 3\n\n      [a.r.two.options]\n        y = 4\n  [a.z]")
    assert tomltext.put(old, ("a", "r", "two"), {"x": 3, "options": {"y": 4}}) == new
    assert tomltext.cut(new, ("a", "r", "two")) == old


def test_a_table_never_swallows_the_pairs_that_follow():
    old = "a.r.one.x = 1\nroot = 2\n"
    new = tomltext.put(old, ("a", "r", "two"), {"x": 3})
    assert tomllib.loads(new) == {"a": {"r": {"one": {"x": 1}, "two": {"x": 3}}}, "root": 2}
    assert tomltext.cut(new, ("a", "r", "two")) == old


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("[[a]]\nb = 1\n", ("a", "c"), r"\[\[a\]\] is an array of tables"),
        ("a = 1\n", ("a", "c"), "a is a value, where a table has to be"),
    ],
)
def test_what_is_no_table_is_refused(text, path, message):
    with pytest.raises(ConfigError, match=message):
        tomltext.put(text, path, 1)


@pytest.mark.parametrize(
    ("text", "path", "rest"),
    [
        ("x = { a = 1, b = 2, c = 3 }\n", ("x", "a"), "x = { b = 2, c = 3 }\n"),
        ("x = { a = 1, b = 2, c = 3 }\n", ("x", "b"), "x = { a = 1, c = 3 }\n"),
        ("x = { a = 1, b = 2, c = 3 }\n", ("x", "c"), "x = { a = 1, b = 2 }\n"),
        ("x = { a = 1 }\n", ("x", "a"), "x = {}\n"),
        ("x = { a = { b = 1 } }\n", ("x",), ""),
        ("[x]\na = 1\n[x.y]\nb = 1\n[z]\n", ("x",), "[z]\n"),
        ("[x]\na = 1\n", ("y",), "[x]\na = 1\n"),
    ],
)
def test_what_is_taken_out_leaves_the_rest_as_it_was(text, path, rest):
    assert tomltext.cut(text, path) == rest
    tomllib.loads(rest)


names = st.sampled_from(
    ["a", "b", "c", "plugins", "io.containerd.grpc.v1.cri", "containerd", "runtimes", "runc", "é x", ""]
)
scalars = (
    st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
)
items = scalars | st.lists(scalars, max_size=3)
trees = st.recursive(
    st.dictionaries(names, items, max_size=3),
    lambda inner: st.dictionaries(names, items | inner, max_size=4),
    max_leaves=10,
)


def written(tree, draw, path=(), depth=0):
    """A tree as TOML, each table with a header, inline or dotted, as it comes."""
    lines, tables = [], []
    for key, value in tree.items():
        if isinstance(value, dict) and draw(st.integers(0, 3)):
            tables.append((key, value))
        elif isinstance(value, dict) and value and draw(st.booleans()):
            lines += [f"{tomltext._key((key, *inner))} = {tomltext.dump(leaf)}" for inner, leaf in leaves(value)]
        else:
            lines.append(f"{tomltext._key((key,))} = {tomltext.dump(value)}")
    comment = draw(st.sampled_from(["", "  # [x]", "\n# c", "\n"]))
    indent = draw(st.sampled_from(["", "  ", "\t"])) * depth
    text = "".join(f"{indent}{line}{comment}\n" for line in lines)
    if path and (lines or not tables or draw(st.booleans())):
        text = f"{indent}[{tomltext._key(path)}]{comment}\n{text}"
    return text + "".join(written(value, draw, (*path, key), depth + 1) for key, value in tables)


def leaves(tree, path=()):
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


@given(trees, st.data(), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_any_document_keeps_everything_else(tree, data, line_end, cut_end):
    text = written(tree, data.draw)
    text = text.rstrip("\n") if cut_end else text
    text = text.replace("\n", line_end)
    assert tomllib.loads(text) == tree
    settings = [
        Setting(path=(*RUNTIMES, "nvidia"), value=ENTRY, mark=("options", "BinaryName")),
        Setting(path=(*RUNTIMES[:3], "default_runtime_name"), value="nvidia"),
        Setting(path=(*RUNTIMES[:2], "enable_cdi"), value=True),
    ]
    try:
        edited, changes = edits.apply(tomltext, text, settings, "f")
    except ConfigError as error:
        assert "where a table has to be" in error.message
        return
    expected = tomllib.loads(text)
    for setting in settings:
        edits._set(expected, setting.path, setting.value)
    assert edits.same(tomllib.loads(edited), expected)
    assert edits.apply(tomltext, edited, settings, "f") == (edited, ())
    undone = edits.undo(tomltext, f"# by hand{line_end}{edited}", changes, "f")
    assert edits.same(tomllib.loads(undone), tree)
    kept = [line for line in text.splitlines() if line.strip() and "{" not in line]
    rest = undone.splitlines()
    assert [line for line in kept if line not in rest] == []
