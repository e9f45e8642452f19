"""A real browser for the pages that we write: headless Chromium opens a copy of a page and tells what it sees.

The copy differs from the page in one thing: its policy also allows the scripts that look at it, by their hashes.
"""

import base64
import hashlib
import html
import json
import os
import re
import shutil
import subprocess
import tempfile
from importlib import resources
from typing import Any, Literal, NamedTuple

from tests.debian import UnavailableError

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    # Nothing is looked up, so that a page which loads something shows it as an error at once.
    *("--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr"),
)
TIMEOUT_S = 60
# prefers-color-scheme as Chromium numbers it (blink::mojom::PreferredColorScheme).
SCHEMES = {"dark": 0, "light": 1}
Scheme = Literal["dark", "light"]

LOOK = """
addEventListener("load", async () => {
  const root = document.documentElement;
  const wide = [...document.querySelectorAll("body *")]
    .filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest("svg"))
    .map((one) => `${one.tagName}.${one.className}`);
  const found = window.axe ? await axe.run() : {violations: [], passes: []};
  const violations = found.violations.map(({id, impact, nodes}) => ({id, impact, where: nodes.map((one) => one.html)}));
  const seen = {
    width: innerWidth, scroll: root.scrollWidth, wide, violations, rules: found.passes.length,
    dark: matchMedia("(prefers-color-scheme: dark)").matches, paper: getComputedStyle(document.body).backgroundColor,
    copies: [...document.querySelectorAll("button.copy")].filter((one) => !one.hidden).length,
  };
  parent.postMessage(JSON.stringify(seen), "*");
});
"""
FRAME = """<!doctype html><meta name="color-scheme" content="light dark"><title>frame</title>
<script>addEventListener("message", ({{data}}) => document.getElementById("seen").textContent = data);</script>
<iframe src="page.html" width="{width}" height="900" style="border:0"></iframe><pre id="seen"></pre>"""


class Seen(NamedTuple):
    """What the browser saw: the answers of ``LOOK``, and the lines of its console."""

    answers: dict[str, Any]
    console: list[str]


def need() -> str:
    """The browser; UnavailableError where there is none."""
    program = shutil.which("chromium")
    if not program:
        raise UnavailableError("chromium is not installed, so nobody can look at the page")
    return program


def axe() -> str:
    """The script that judges whether a page can be used by everybody."""
    return resources.files("axe_core_python").joinpath("axe.min.js").read_text("utf-8")


def copy_to_look_at(page: str, *scripts: str) -> str:
    """The page with scripts in it, which its policy then allows too."""
    policy = re.search(r'content="(default-src[^"]*)"', page)
    assert policy, "the page has no policy"
    hashes = " ".join(f"'sha256-{_sha256(script)}'" for script in scripts)
    wider = html.unescape(policy[1]).replace("script-src ", f"script-src {hashes} ")
    tags = "".join(f"<script>{script}</script>" for script in scripts)
    return page.replace(policy[1], html.escape(wider)).replace("</body>", f"{tags}</body>")


def _sha256(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def look(page: str, width: int, scheme: Scheme = "light", judge: bool = False) -> Seen:
    """Open a page that is so many pixels wide, and say what is seen; with ``judge``, whether everybody can use it."""
    return ask(page, *((axe(), LOOK) if judge else (LOOK,)), width=width, scheme=scheme)


def ask(page: str, *scripts: str, width: int = 1280, scheme: Scheme = "light") -> Seen:
    """Open a page in a frame, as a window cannot be as narrow as a phone, and run scripts in it.

    The last one sends its answers to the frame: ``parent.postMessage(JSON.stringify(answers), "*")``.
    """
    with tempfile.TemporaryDirectory(prefix="linkspan-browser-") as folder:
        _write(f"{folder}/page.html", copy_to_look_at(page, *scripts))
        _write(f"{folder}/frame.html", FRAME.format(width=width))
        done = _run(folder, scheme, "--virtual-time-budget=20000", "--dump-dom", f"file://{folder}/frame.html")
    answer = re.search(r'<pre id="seen">(.*?)</pre>', done.stdout, re.DOTALL)
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert answer and answer[1], f"the page gave no answer: {console}"
    return Seen(json.loads(html.unescape(answer[1])), console)


def _run(folder: str, scheme: Scheme, *arguments: str) -> "subprocess.CompletedProcess[str]":
    settings = (f"--user-data-dir={folder}/profile", f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}")
    return subprocess.run(
        [need(), *FLAGS, *settings, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
        env={"PATH": os.environ["PATH"], "HOME": folder},
    )


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


BEYOND = """
const beyond = [];
for (const box of document.querySelectorAll("rect.box")) {
  const edge = box.getBoundingClientRect();
  for (const text of box.parentElement.querySelectorAll("text"))
    if (text.getBoundingClientRect().right > edge.right || text.getBoundingClientRect().bottom > edge.bottom)
      beyond.push(text.textContent);
  const state = box.parentElement.querySelector("text.state")?.getBoundingClientRect();
  for (const text of state ? box.parentElement.querySelectorAll("text:not(.state)") : [])
    if (text.getBoundingClientRect().top < state.top && text.getBoundingClientRect().right > state.left)
      beyond.push(`over its state: ${text.textContent}`);
}
document.body.insertAdjacentHTML("beforeend", "<pre id=seen></pre>");
const boxes = document.querySelectorAll("rect.box").length;
document.getElementById("seen").textContent = JSON.stringify({boxes, beyond});
"""


def texts_beyond_their_boxes(picture: str) -> list[str]:
    """The texts of an SVG picture that stick out of the box that they stand in, or run into its state."""
    with tempfile.TemporaryDirectory(prefix="linkspan-browser-") as folder:
        page = f"<!doctype html><meta charset=utf-8><body>{picture}<script>{BEYOND}</script>"
        _write(f"{folder}/page.html", page)
        done = _run(folder, "light", "--dump-dom", f"file://{folder}/page.html")
    answer = re.search(r'<pre id="seen">(.*?)</pre>', done.stdout, re.DOTALL)
    assert answer, done.stderr
    seen = json.loads(html.unescape(answer[1]))
    assert seen["boxes"]
    found: list[str] = seen["beyond"]
    return found
