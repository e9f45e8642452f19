r"""What engines, shims, runtimes and logs put around an error, and the error without it. Pure.

One failure of a hook is told by the hook, repeated by runc, by the shim, by containerd, by the engine and by its
client, and perhaps a logger puts all of it into a string of JSON: ``settle`` undoes what is done to a text as a whole,
``peel`` takes the layers off a line. Every pattern is anchored where it is tried and repeats nothing without a bound,
so that a hostile log costs no more time than a harmless one.
"""

import re
from typing import NamedTuple

_ANSI = re.compile(r"\x1b(?:\[[0-9;?]{0,32}[ -/]{0,4}[@-~]|\][^\x07\x1b]{0,256}(?:\x07|\x1b\\)|[@-Z\\^_])")

_PLAIN = (
    *(("\u201c", '"'), ("\u201d", '"'), ("\u2018", "'"), ("\u2019", "'"), ("\u00a0", " "), ("\u2026", "...")),
    ("\u200b", ""),
)
"""Typographic characters that word processors and chats put in place of what was printed."""

_ESCAPES = (("\\n", "\n"), ("\\r", "\n"), ("\\t", " "), ('\\"', '"'), ("\\'", "'"))
_CODE_POINT = re.compile(r"\\u([0-9a-fA-F]{4})")
_HTML = (("&quot;", '"'), ("&apos;", "'"), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))

_ROUNDS = 40
"""How many layers are taken off one line at most."""

_FRAMES = (
    ("paste", r"(?:[>•*│✔✘⠀-⣿-] ?|`{1,3})+"),
    ("compose", r"\[\+\] [A-Z][a-z]{2,12} \d{1,4}/\d{1,4}"),
    ("cri", r"\d{4}-\d\d-\d\dT[\d:.]{8,20}(?:Z|[+-]\d\d:\d\d) (?:stdout|stderr) [FP] "),
    ("logger", r'\{.{0,400}?"(?:log|msg|message|err|error)": ?"'),
    ("logger", r'time="?[^"\s]{1,40}"? level=\w{1,10} msg="?'),
    ("logger", r"(?:ERRO|WARN|INFO|FATA|DEBU|TRAC)\[\d{1,9}\] {0,2}"),
    ("klog", r"[IWEF]\d{4} \d\d:\d\d:\d\d\.\d{1,9} {1,8}\d{1,9} [\w./-]{1,60}:\d{1,6}\] "),
    ("syslog", r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})? \S{1,64} [\w./@-]{1,64}(?:\[\d{1,9}\])?: "),
    ("time", r"\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d[\d.,]{0,12}(?:Z|[+-]\d\d:?\d\d| UTC)?\]?[: ]{1,2}"),
    ("time", r"\[ {0,6}\d{1,9}\.\d{6}\] "),
    ("compose", r"[\w.-]{1,64} {1,40}\| {1,2}"),
    ("buildkit", r"#\d{1,5} (?:\d{1,6}\.\d{1,3} )?"),
    (
        "kubelet",
        r"(?:Warning|Normal) {1,8}[A-Z]\w{2,40} {1,8}.{1,60}? (?:kubelet|default-scheduler)(?:, \S{1,64})? {1,20}",
    ),
    ("syslog", r".{0,24}\d\d:\d\d:\d\d \S{1,64} [\w./@-]{1,64}\[\d{1,9}\]: "),
    ("kubelet", r"\d{1,4}[smhd]\S{0,8} {1,12}(?:Warning|Normal) {1,12}[A-Z]\w{2,40} {1,12}\S{1,120} {1,24}"),
    ("rank", r"\[rank\d{1,5}\]:(?:[IWEF]\d{4} [\d:.]{8,20} \d{1,9} \S{1,200}\] )?"),
)
"""What loggers and clients put in front of a line, by the kind of writer."""

_SPEAKERS = (
    ("docker", r"docker: "),
    ("docker", r"\(HTTP code \d{3}\) [a-z ]{1,40} - "),
    ("docker", r"Error response from daemon: "),
    ("docker", r"Handler for [A-Z]{3,7} \S{1,200} returned error: "),
    ("docker", r"Error invoking remote method '[^']{1,80}': Error: "),
    ("compose", r"ERROR: for [\w.-]{1,80} {1,4}"),
    ("compose", r"Cannot start service [\w.-]{1,80}: "),
    ("compose", r"Cannot start Docker Compose application\. Reason: .{0,120}?Starting "),
    ("podman", r"error preparing container [0-9a-f]{1,64} for attach: "),
    ("podman", r'unable to start container "[^":]{1,80}": ?'),
    ("buildkit", r"failed to (?:build|solve)(?: with frontend \S{1,40})?: "),
    ("kubelet", r"Failed to create pod sandbox: ?"),
    (
        "kubelet",
        r'failed to (?:start|create) (?:containerd )?(?:sandbox|container)(?: container)?(?: "[^"]{0,80}")?: ',
    ),
    ("kubelet", r"rpc error: code = \w{1,30} desc = "),
    ("containerd", r"failed to create (?:containerd )?(?:shim )?(?:task|shim)(?: for container)?: "),
    ("runtime", r"(?:OCI|oci) runtime (?:create failed|exec failed|start failed|error): "),
    ("runtime", r"container create failed: "),
    ("runc", r"runc (?:create|run|exec) failed: "),
    ("runc", r"(?:runc|crun|youki|runsc): (?=\S)"),
    ("runc", r"unable to start container process: "),
    ("runc", r"error during container init: "),
    ("runc", r"\w{2,20}_linux\.go:\d{1,5}: "),
    ("runc", r'(?:starting container process|container init|running (?:prestart )?hook \d{1,3}) caused:? ?"?'),
    ("runc", r"Running hook \S{0,40}:: "),
    ("runc", r"error running (?:\w{4,16} )?hook(?: #\d{1,3})?: "),
    ("runc", r"exit status \d{1,3}, stdout: .{0,200}?, stderr: ?"),
    ("hook", r"exec command: \[[^\]]{0,4000}\] {0,2}"),
    ("hook", r"Auto-detected mode as '?[\w-]{1,12}'?\s{0,8}"),
    ("podman", r"error setting up CDI devices: (?=\S)"),
    ("podman", r"setting up CDI devices: (?=\S)"),
    ("client", r"(?:Error|ERROR|error|fatal|FATAL|Failed|ctr): (?=\S)"),
    ("client", r"\[(?:ERROR|FATAL|WARN|error)\] "),
)
"""Who passes an error on, and the words in which it does so."""

_MARKERS = (
    ("docker", re.compile(r"Error response from daemon: ")),
    ("kubelet", re.compile(r"rpc error: code = \w{1,30} desc = ")),
    ("runtime", re.compile(r"(?:OCI|oci) runtime (?:create failed|error): ")),
    ("runc", re.compile(r", stdout: .{0,200}?, stderr: ")),
)
"""Words after which the error itself comes, whatever stands before them: a tool may have put its own there."""

_LAYERS = tuple((name, re.compile(pattern)) for name, pattern in (*_FRAMES, *_SPEAKERS))

_TAILS = (
    re.compile(r'",? ?"(?:stream|time|ts|level|caller|logger|stacktrace|errVerbose|attrs)": ?.{0,600}$'),
    re.compile(r'"(?: [\w.-]{1,40}=(?:"[^"]{0,400}"|\S{0,200})){1,12}$'),
    re.compile(r'[\s"\\}.`]{0,20}: unknown["\s\\}.`]{0,12}$'),
    re.compile(r'(?<=[^"\s])[\s"\\}`]{2,24}$'),
)
"""What closes such words at the end of a line."""


class Peeled(NamedTuple):
    """A line without its wrapping; ``layers`` tells who had wrapped it, the outermost first, each once."""

    text: str
    layers: tuple[str, ...]


def settle(text: str) -> str:
    """A pasted text as it was printed: without colours and escapes of strings, with plain quotes and line ends."""
    if "\\" in text:
        text = _unescaped(text)
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    if not text.isascii():
        text = _replaced(text, _PLAIN)
    if "&" in text:
        text = _replaced(text, _HTML)
    return _replaced(text, (("\r\n", "\n"), ("\r", "\n"), ("\t", " "), ("\x00", "")))


def _unescaped(text: str) -> str:
    """Strings within strings are escaped once more at each level, so backslashes are halved until one is left."""
    while "\\\\" in text:
        text = text.replace("\\\\", "\\")
    if "\\u" in text:
        text = _CODE_POINT.sub(lambda found: chr(int(found[1], 16)), text)
    return _replaced(text, _ESCAPES)


def _replaced(text: str, pairs: tuple[tuple[str, str], ...]) -> str:
    for old, new in pairs:
        text = text.replace(old, new)
    return text


def peel(line: str) -> Peeled:
    """One line without what was put around it."""
    text, layers = line.strip(), []
    for _ in range(_ROUNDS):
        name, end = _outermost(text) or _marked(text)
        if not end:
            break
        layers.append(name)
        text = text[end:].lstrip()
    for tail in _TAILS:
        text = tail.sub("", text)
    if text.count("`") % 2:
        text = text.strip("`")
    return Peeled(printable(text.strip()), tuple(dict.fromkeys(layers)))


def printable(text: str) -> str:
    """The text without characters that would do something to a terminal instead of being shown."""
    return text if text.isprintable() else "".join(char for char in text if char.isprintable())


def _outermost(text: str) -> tuple[str, int] | None:
    """The layer that a text begins with, and how long that is."""
    for name, pattern in _LAYERS:
        if (found := pattern.match(text)) and found.end():
            return name, found.end()
    return None


def _marked(text: str) -> tuple[str, int]:
    """The first of the words that tell that an error follows, and where they end."""
    for name, pattern in _MARKERS:
        if found := pattern.search(text):
            return name, found.end()
    return "", 0
