import pytest

from linkspan.explain import page
from tests import browser
from tests.unit.explain import chains

PAGES = {
    "holds": page.render(chains.HOLDS),
    "broken": page.render(chains.BROKEN),
    "hostile": page.render(chains.HOSTILE),
    "report": page.render_report(chains.REPORT),
    "hostile report": page.render_report(chains.HOSTILE_REPORT),
}
PAPER = {"light": "rgb(247, 246, 242)", "dark": "rgb(15, 20, 25)"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_used_by_everybody_at_any_width_and_in_any_light(name, width, scheme):
    seen = browser.look(PAGES[name], width, scheme, judge=True)
    assert seen.console == []
    assert seen.answers["paper"] == PAPER[scheme]
    assert [one for one in seen.answers["violations"] if one["impact"] in {"serious", "critical"}] == []
    assert seen.answers["rules"] > 20
    assert (seen.answers["width"], seen.answers["scroll"], seen.answers["wide"]) == (width, width, [])


def test_the_copy_buttons_appear_where_scripts_run():
    assert browser.look(PAGES["broken"], 390).answers["copies"] == 2


COPY = """
addEventListener("load", async () => {
  let copied = "";
  const clipboard = {writeText: async (text) => { %s }};
  Object.defineProperty(navigator, "clipboard", {value: clipboard});
  document.execCommand = () => { copied = getSelection().toString(); return true; };
  const button = document.querySelectorAll("button.copy")[1];
  button.click();
  await new Promise((done) => setTimeout(done, 100));
  const said = document.getElementById("said").textContent;
  parent.postMessage(JSON.stringify({copied, said, button: button.textContent}), "*");
});
"""


@pytest.mark.parametrize("clipboard", ["copied = text;", "throw new Error('not here');"])
def test_a_button_copies_its_command_with_a_clipboard_and_without(clipboard):
    assert chains.BROKEN_BOX.remedy is not None
    seen = browser.ask(PAGES["broken"], COPY % clipboard)
    assert seen.answers == {"copied": chains.BROKEN_BOX.remedy.commands[1], "said": "Copied", "button": "Copied"}
    assert seen.console == []


def test_the_browser_would_tell_of_a_page_that_is_too_wide_or_hard_to_read():
    worse = (
        PAGES["broken"].replace("</main>", '<p class="x">' + "x" * 200 + "</p></main>").replace('class="kicker"', "")
    )
    seen = browser.look(worse.replace('lang="en"', ""), 390, judge=True)
    assert "html-has-lang" in [one["id"] for one in seen.answers["violations"]]
    wide = PAGES["broken"].replace("<main>", "<main><pre>" + "x" * 200 + "</pre>")
    assert browser.look(wide, 390).answers["scroll"] > 390


def test_the_browser_would_tell_of_a_script_or_a_picture_that_is_not_ours():
    for foreign in ("<script>1</script>", '<img src="https://example.com/x.png" alt="">'):
        seen = browser.look(PAGES["holds"].replace("<main>", f"<main>{foreign}"), 1280)
        assert "Content Security Policy" in "".join(seen.console)
