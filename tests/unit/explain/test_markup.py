from linkspan.explain.markup import Markup, join, tag, text


def test_a_string_is_escaped_and_markup_is_not():
    assert tag("p", "<b>", tag("i", "&")) == "<p>&lt;b&gt;<i>&amp;</i></p>"


def test_an_attribute_cannot_be_left_by_a_quote():
    assert (
        tag("a", "x", href='" onclick="y', aria_label="'")
        == '<a href="&quot; onclick=&quot;y" aria-label="&#x27;">x</a>'
    )


def test_attributes_that_are_false_or_empty_are_left_out():
    assert tag("button", hidden=True, disabled=False, class_="") == "<button hidden></button>"


def test_joining_escapes_strings_and_the_text_between():
    assert join(("<", Markup("<br/>")), " & ") == "&lt; &amp; <br/>"
    assert text(text("<")) == "&lt;"


def test_void_elements_have_no_end():
    assert tag("meta", charset="utf-8") == '<meta charset="utf-8"/>'
