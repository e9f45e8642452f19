import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkspan.errors import FormatError
from linkspan.image import docker_words
from linkspan.image.dockerfile import KEYWORDS, Text, parse
from linkspan.image.stages import base, last, stages

PARTS = st.sampled_from(
    [
        *("FROM a", "RUN x \\", "  y", "# note", "", "\t", "COPY <<E /f", "E", "ENV A=1 B='c d'", "ARG V=${A:-x}"),
        *('CMD ["a"]', "RUN cat <<-'E' | sh", "\tE", "# escape=`", "FROM ${V} AS s", "COPY --from=s --chown=1:1 a b"),
        *("`", "\\", "$", "${"),
    ]
)
FILES = st.lists(st.one_of(PARTS, st.text(max_size=20))).map("\n".join)


@given(FILES)
@settings(max_examples=300, deadline=None)
def test_what_is_read_can_be_written_back_unchanged_or_is_refused_with_a_sentence(text):
    try:
        read = parse(text)
    except FormatError as error:
        assert error.message
        return
    assert read.text == text
    assert all(one.keyword in KEYWORDS for one in read.instructions)


@given(FILES)
@settings(max_examples=300, deadline=None)
def test_pieces_follow_each_other_without_gap(text):
    try:
        pieces = parse(text).pieces
    except FormatError:
        return
    at = 1
    for piece in pieces:
        assert piece.line == at
        at += piece.raw.count("\n") if piece.raw.endswith("\n") else piece.raw.count("\n") + 1
        assert isinstance(piece, Text) or piece.end == at - 1


@given(FILES)
@settings(max_examples=300, deadline=None)
def test_stages_of_any_text_are_found_or_refused_with_a_sentence(text):
    try:
        found = stages(parse(text))
    except FormatError:
        return
    assert [stage.number for stage in found] == list(range(len(found)))
    assert all(source < stage.number for stage in found for source in stage.sources)


@given(st.text(max_size=60), st.dictionaries(st.text("AB", min_size=1, max_size=2), st.text(max_size=5)))
@settings(deadline=None)
def test_a_text_without_meaning_expands_to_itself(text, variables):
    plain = "".join(char for char in text if char not in "$\\'\"")
    assert docker_words.expand(plain, variables).text == plain


@given(st.lists(st.text("abc$", min_size=1, max_size=5)))
def test_words_are_those_between_spaces(words):
    assert docker_words.split("  ".join(words)) == words


def only(text):
    return parse(text).instructions[0]


def test_an_instruction_has_keyword_flags_value_and_lines():
    found = parse("# hello\nfrom --platform=linux/arm64 x AS y\n").instructions[0]
    assert (found.keyword, found.flag("platform"), found.value, found.line, found.end) == (
        *("FROM", "linux/arm64", "x AS y"),
        *(2, 2),
    )


def test_comments_and_blank_lines_between_continued_lines_are_left_out_of_the_value():
    found = only("RUN a \\\n  # why\n\n  && b\nCMD c")
    assert found.value == "a   && b"
    assert (found.line, found.end) == (1, 4)


def test_a_doubled_escape_character_ends_the_line():
    assert [one.keyword for one in parse("RUN a \\\\\nRUN b").instructions] == ["RUN", "RUN"]


def test_the_escape_directive_changes_what_continues_a_line():
    read = parse("# escape=`\nFROM a\nRUN c:\\ `\n  d")
    assert read.escape == "`"
    assert read.instructions[1].value == "c:\\   d"


def test_a_directive_after_a_comment_is_a_comment():
    assert parse("# hello\n# escape=`\nFROM a").escape == "\\"


def test_a_heredoc_is_kept_with_its_body_and_whether_it_expands():
    found = only("RUN <<-'E' cat\n\tfirst $A\nE\n")
    assert found.heredocs[0].body == "first $A\n"
    assert not found.heredocs[0].expands
    assert found.end == 3


def test_two_heredocs_follow_each_other():
    assert [one.body for one in only("COPY <<A <<B /x/\n1\nA\n2\nB\n").heredocs] == ["1\n", "2\n"]


def test_a_here_string_is_no_heredoc():
    assert only("RUN cat <<<word").heredocs == ()


def test_the_json_form_gives_words():
    assert only('ENTRYPOINT ["a", "b c"]').words == ("a", "b c")
    assert only("ENTRYPOINT [a]").words is None


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("FROM a\nFRMO b", "line 2: there is no instruction 'FRMO'"),
        ("FROM a\nRUN <<E\nx", "line 2: the here-document E has no end"),
        ("# escape=x\nFROM a", "line 1: the escape character is neither"),
        ("# escape=`\n# escape=`\nFROM a", "line 2: the directive escape is given twice"),
        ("FROM a\nRUN " + "x" * 70000, "line 2 is longer than"),
        ("x" * (2 << 20), "larger than"),
        ("RUN a\n" * 5001, "more than 5000 instructions"),
    ],
)
def test_what_no_builder_reads_is_refused(text, cause):
    with pytest.raises(FormatError) as caught:
        parse(text)
    assert cause in caught.value.message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$A", "1"),
        ("${A}b", "1b"),
        ("${B:-x$A}", "x1"),
        ("${E-x}", ""),
        ("${E:-x}", "x"),
        ("${A:+y}", "y"),
        ("${E+y}", "y"),
        ("${B+y}", ""),
        ("'$A'", "$A"),
        ('"$A b"', "1 b"),
        (r"\$A", "$A"),
        (r'"a\b"', r"a\b"),
        ("${A#1}", "${A#1}"),
        ("$", "$"),
    ],
)
def test_variables_are_put_in_as_the_builder_does(text, value):
    assert docker_words.expand(text, {"A": "1", "E": ""}).text == value


def test_a_variable_that_nobody_set_is_nothing_and_named():
    assert docker_words.expand("a$B/${C:-d}", {}) == ("a/d", ("B",))


@pytest.mark.parametrize("text", ["${A", "${}", "${B:?must}"])
def test_what_cannot_be_expanded_is_refused(text):
    with pytest.raises(FormatError):
        docker_words.expand(text, {"A": "1"})


def test_values_that_double_are_bounded():
    lines = ["FROM a", "ENV A=xxxxxxxx", *["ENV A=$A$A"] * 30]
    with pytest.raises(FormatError, match="line 14: a value is longer"):
        stages(parse("\n".join(lines)))


ARGS = """\
ARG TAG=1.0
ARG OTHER=o
FROM img:${TAG} AS low
ARG TAG
ARG OTHER=mine
ENV A=$TAG B=$OTHER C=$GONE
FROM low AS mid
RUN echo $A
FROM scratch
COPY --from=mid /x /y
RUN --mount=type=bind,from=low,target=/l true
"""


def test_an_argument_before_the_first_stage_counts_for_from_and_where_it_is_named_again():
    low = stages(parse(ARGS))[0]
    assert low.image == "img:1.0"
    assert low.environment == {"A": "1.0", "B": "mine", "C": ""}
    assert low.steps[-1].unknown == ("GONE",)


def test_arguments_of_the_build_win():
    found = stages(parse(ARGS), {"TAG": "2.0"})
    assert found[0].image == "img:2.0"
    assert found[0].environment["A"] == "2.0"


def test_a_stage_inherits_from_the_one_that_it_is_built_on():
    found = stages(parse(ARGS))
    assert found[1].parent == 0
    assert found[1].environment["A"] == "1.0"
    assert base(found, found[1]).image == "img:1.0"


def test_a_stage_needs_what_it_copies_and_mounts_from():
    assert stages(parse(ARGS))[2].sources == (1, 0)
    assert [stage.number for stage in last(stages(parse(ARGS)))] == [2]


def test_all_values_of_one_env_see_the_variables_before_it():
    assert stages(parse("FROM a\nENV A=1\nENV A=2 B=$A"))[0].environment == {"A": "2", "B": "1"}


def test_the_old_form_of_env_is_one_pair():
    assert stages(parse("FROM a\nENV PATH /x y"))[0].environment == {"PATH": "/x y"}


@pytest.mark.parametrize("text", ["", "# nothing", "ARG A", "RUN x\nFROM a"])
def test_a_file_without_stage_is_refused(text):
    with pytest.raises(FormatError):
        stages(parse(text))
