"""What pasted errors are known by: real ones with the wrapping of their engine, and real ones of other trades."""

import json
import random
import time

import pytest

from linkspan.check.catalogue import all_modes
from linkspan.errors import DeviceNotFound, RequirementError
from linkspan.explain.pasted import classify
from linkspan.explain.signatures import all_signatures
from linkspan.runtime import report
from tests.unit.explain import samples

KNOWN = samples.read("known.txt")
UNRELATED = samples.read("unrelated.txt")
CORE = "nvidia-container-cli: initialization error: nvml error: driver/library version mismatch"
SECONDS = 2.0


def ids(text):
    return [fit.id for fit in classify(text).fits]


def name(sample):
    return f"{sample.expected} {sample.address.removeprefix('https://github.com/')}"


def test_there_are_many_samples_of_both_kinds():
    assert len(KNOWN) >= 100
    assert len({sample.expected for sample in KNOWN}) >= 50
    assert len(UNRELATED) >= 30
    assert len(FROM_HOOK) >= 25


@pytest.mark.parametrize("sample", KNOWN, ids=name)
def test_a_posted_error_is_known_by_its_failure_first(sample):
    found = classify(sample.text)
    assert found.known
    assert found.fits[0].id == sample.expected, [fit.id for fit in found.fits]


FROM_HOOK = [sample for sample in KNOWN if "stderr: " in sample.text and "nvidia-container-cli: " in sample.text]


@pytest.mark.parametrize("sample", FROM_HOOK, ids=name)
def test_of_a_failed_hook_the_words_of_the_hook_are_left(sample):
    (message,) = classify(sample.text).messages
    assert message.startswith(("nvidia-container-cli: ", "nvml error: "))
    assert not message.endswith((": unknown", '"', "\\", "unknown."))


@pytest.mark.parametrize("sample", KNOWN, ids=name)
def test_a_posted_error_is_known_when_a_logger_escaped_it_once_more(sample):
    logged = json.dumps({"log": sample.text, "stream": "stderr", "time": "2024-05-01T10:00:00.1Z"})
    assert ids(logged)[:1] == [sample.expected]


@pytest.mark.parametrize("sample", UNRELATED, ids=name)
def test_an_error_of_another_trade_is_unknown(sample):
    found = classify(sample.text)
    assert [(fit.id, fit.matched) for fit in found.fits] == []
    assert not found.known
    assert found.messages


@pytest.mark.parametrize("mode", all_modes().values(), ids=lambda mode: mode.id)
def test_a_symptom_of_the_catalogue_is_known_by_its_mode(mode):
    for symptom in mode.symptoms if mode.signatures else ():
        if any(one.id == mode.id and one.pattern.search(symptom) for one in all_signatures()):
            assert mode.id in ids(symptom), symptom


@pytest.mark.parametrize(
    "wrapped",
    [
        f"docker: Error response from daemon: failed to create task for container: failed to create shim task: {CORE}",
        f"2024-01-01T00:00:00.123456789Z stderr F {CORE}",
        f"E0423 06:04:56.558122      39 main.go:301] {CORE}",
        f'time="2024-01-01T00:00:00Z" level=error msg="{CORE}" container=a1 module=libcontainerd',
        f"May  3 10:00:00 host dockerd[17]: {CORE}: unknown",
        f"app-1  | {CORE}",
        f"#12 0.431 {CORE}",
        f"  Warning  Failed  4s (x2 over 9s)  kubelet  Error: failed to create containerd task: {CORE}: unknown",
        f"\x1b[31mERROR\x1b[0m: for app  Cannot start service app: {CORE}",
        f"[rank3]: {CORE}",
        '{"level":"error","msg":"' + CORE + '","time":"2024-01-01T00:00:00Z"}',
        f"> {CORE}\r\n",
    ],
)
def test_what_is_left_is_the_message_of_the_one_who_failed(wrapped):
    assert classify(wrapped).messages == (CORE,)


def test_a_cause_comes_before_the_failure_that_passes_it_on():
    cause = 'failed to stat CDI host device "/dev/dri/renderD129": no such file or directory'
    assert ids(f"nvidia-container-runtime did not terminate successfully: exit status 1: {cause}") == [
        "D-CDI-3",
        "D-MODE-2",
    ]


def test_failures_with_the_same_words_are_all_named():
    assert ids('could not select device driver "" with capabilities: [[gpu]]') == [
        "D-ENGINE-1",
        "D-ENGINE-2",
        "D-ENGINE-3",
        "D-ENGINE-4",
    ]


def test_a_failure_is_told_once_however_often_it_is_in_the_log():
    found = classify("\n".join([KNOWN[0].text] * 50))
    assert [fit.id for fit in found.fits] == ids(KNOWN[0].text)
    assert found.messages == (CORE,)


def test_an_error_in_the_middle_of_a_long_log_is_found():
    lines = [f"{number} GET /index.html 200" for number in range(40_000)]
    lines.insert(20_000, KNOWN[0].text)
    assert ids("\n".join(lines))[:1] == ["D-DRIVER-1"]


def test_an_error_of_the_start_path_is_known_with_its_code():
    error = DeviceNotFound('NVIDIA_VISIBLE_DEVICES asks for "9", which is not here', hint="there are 2 GPUs: 0 and 1")
    said = f"linkspan-runtime: {report.one_line(error)}"
    (own,) = classify(f"docker: Error response from daemon: OCI runtime create failed: {said}: unknown.").own
    assert (own.program, own.message, own.hint, own.code) == (
        "linkspan-runtime",
        'NVIDIA_VISIBLE_DEVICES asks for "9", which is not here',
        "there are 2 GPUs: 0 and 1",
        "device-not-found",
    )
    assert own.meaning == (DeviceNotFound.__doc__ or "").partition("\n")[0]


def test_an_error_of_the_command_line_is_known_with_its_hint():
    found = classify("linkspan: no such GPU: 9\nhint: see 'linkspan facts'\n")
    (own,) = found.own
    assert found.known
    assert (own.message, own.hint, own.code) == ("no such GPU: 9", "see 'linkspan facts'", "")


def test_every_code_of_our_errors_has_its_meaning():
    (own,) = classify(f"linkspan-hook: {report.one_line(RequirementError('too old'))}").own
    assert own.meaning.startswith("The driver or a GPU does not meet")


@pytest.mark.parametrize("text", ["", "\n\n", " \t ", "\x00\x01", "\\", "\\\\\\", '"', "{", "=== "])
def test_a_text_with_nothing_in_it_is_unknown(text):
    assert not classify(text).known


def _scrambled(lines: int, words: int, end: str) -> str:
    """All anchors in a random order, with bits of wrapping between them."""
    anchors = [one.anchor.decode() for one in all_signatures()]
    bits = [*anchors, "error:", "/usr/lib/x86_64-linux-gnu/libcuda.so.1", "docker:", '\\"', "{", "[[", "\x1b[31m"]
    rng = random.Random(7)
    return end.join(" ".join(rng.choices(bits, k=words)) for _ in range(lines))


HOSTILE = {
    "one line": lambda: "failed to create link " * 450_000,
    "one word": lambda: "nvidia" * 1_700_000,
    "backslashes": lambda: "\\" * 10_000_000,
    "escapes": lambda: '\\\\\\"\\\\n' * 1_500_000,
    "code points": lambda: "\\u0041" * 1_700_000,
    "colours": lambda: "\x1b[" * 5_000_000,
    "no line ends": lambda: ": no such file" * 715_000,
    "empty lines": lambda: "\n" * 10_000_000,
    "every anchor, many lines": lambda: _scrambled(28_000, 12, "\n"),
    "every anchor, one line": lambda: _scrambled(28_000, 12, " "),
    "our name": lambda: "linkspan: " * 1_000_000,
    "our name, many lines": lambda: "linkspan-runtime: x\n" * 500_000,
    "our name, other lines": lambda: "\n".join(f"linkspan: {number}: no such GPU" for number in range(340_000)),
    "quotes and brackets": lambda: '{"msg":"exec command: [' * 430_000,
    "not ASCII": lambda: "“ошибка” ‘драйвера’ " * 500_000,
    "a harmless log": lambda: "\n".join(f"2024-01-01T00:00:00Z stderr F I0101 {n} nvidia ok" for n in range(200_000)),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_ten_megabytes_are_read_in_two_seconds_whatever_they_hold(kind):
    text = HOSTILE[kind]()
    all_signatures()
    assert len(text) > 9_500_000
    started = time.process_time()
    classify(text)
    assert time.process_time() - started < SECONDS
