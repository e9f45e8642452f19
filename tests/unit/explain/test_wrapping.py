"""The layers that engines and logs put around an error come off, one by one, and the error itself stays whole."""

import pytest

from linkspan.explain.signatures import all_signatures, plain_runs
from linkspan.explain.wrapping import peel, settle
from tests.unit.explain import samples

PIECES = "nvidia-container-cli: ldcache error: process /sbin/ldconfig.real failed with error code: 127"


@pytest.mark.parametrize(
    ("pasted", "printed"),
    [
        ("\x1b[1;31mred\x1b[0m and \x1b]8;;https://a.b\x07link\x1b]8;;\x07", "red and link"),
        ('say \\\\\\"no\\\\\\"', 'say "no"'),
        ("one\\\\ntwo", "one\ntwo"),
        ("cuda\\u003e=12.8 \\u201cnvidia\\u201d", 'cuda>=12.8 "nvidia"'),
        ("no runtime for “nvidia”", 'no runtime for "nvidia"'),
        ("a&gt;b &quot;c&quot; &amp; d", 'a>b "c" & d'),
        ("one\r\ntwo\rthree\tfour", "one\ntwo\nthree four"),
        ("C\\:", "C\\:"),
    ],
)
def test_a_text_is_settled_to_what_was_printed(pasted, printed):
    assert settle(pasted) == printed


@pytest.mark.parametrize(
    ("line", "text", "layers"),
    [
        (PIECES, PIECES, ()),
        (f"docker: Error response from daemon: {PIECES}: unknown.", PIECES, ("docker",)),
        (
            f'Error: failed to start container "a": rpc error: code = Unknown desc = {PIECES}',
            PIECES,
            ("client", "kubelet"),
        ),
        (
            "OCI runtime create failed: container_linux.go:380: starting container process caused: "
            "process_linux.go:545: "
            f"container init caused: Running hook #0:: error running hook: exit status 1, stdout: , stderr: {PIECES}",
            PIECES,
            ("runtime", "runc"),
        ),
        (
            f"failed to deploy a stack: Container web Starting Error response from daemon: {PIECES}: unknown",
            PIECES,
            ("docker",),
        ),
        (
            f"3m45s       Warning   Failed   pod/a-l4754            Error: rpc error: code = Unknown desc = {PIECES}",
            PIECES,
            ("kubelet", "client"),
        ),
        (f"[ERROR] `{PIECES}", PIECES, ("client", "paste")),
        (
            f'Error: OCI runtime error: unable to start container "a1":crun: {PIECES}',
            PIECES,
            ("client", "runtime", "podman", "runc"),
        ),
        ("[+] Running 0/1", "", ("compose",)),
        ("nothing is wrapped here", "nothing is wrapped here", ()),
        ("", "", ()),
    ],
)
def test_a_line_is_peeled_from_the_outside(line, text, layers):
    assert peel(line) == (text, layers)


@pytest.mark.parametrize("sample", samples.read("known.txt"), ids=lambda sample: sample.address)
def test_no_layer_is_left_on_a_posted_error(sample):
    for line in settle(sample.text).splitlines():
        once = peel(line)
        assert peel(once.text).text == once.text
        assert not once.text.startswith(("docker: ", "Error response from daemon: ", "OCI runtime create failed: "))


@pytest.mark.parametrize(
    ("pattern", "runs"),
    [
        (r"driver/library version mismatch", ["driver/library version mismatch"]),
        (r'driver "(nvidia)?" with', ['driver "', '" with']),
        (r"libnvcuvid\.so\.\d{1,3} gone", ["libnvcuvid.so.", " gone"]),
        (r"suc{1,2}ess", ["su", "ess"]),
        (r"ab?c", ["a", "c"]),
        (r"[a-c]x\S{1,9}(y|z)\\", ["x", "\\"]),
        (r"CVE-2024-013[23]\b", ["CVE-2024-013"]),
    ],
)
def test_what_every_match_contains_is_read_from_a_pattern(pattern, runs):
    assert plain_runs(pattern) == runs


@pytest.mark.parametrize("signature", all_signatures(), ids=lambda one: f"{one.id} {one.order}")
def test_the_anchor_of_a_signature_is_long_enough_to_be_rare(signature):
    assert len(signature.anchor) >= 8
    assert signature.weight >= len(signature.anchor)
