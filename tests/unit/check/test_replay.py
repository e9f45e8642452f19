"""What is made of large files is remembered as such, so a bundle tells the same as its host."""

import pytest

from linkspan.check import registry, run
from linkspan.check.eyes import Eyes, Replay, pack, unpack
from linkspan.sim import failing

pytestmark = pytest.mark.allow_subprocess

AREAS = (
    *("D-IMAGE", "D-K8S", "D-COMPOSE", "D-BUILD", "D-SANDBOX", "D-JETSON", "D-GRAPHICS"),
    *("D-CDI", "D-LDCACHE", "D-MODE"),
)
NAMES = [name for name in failing.all_failures() if name.startswith(AREAS)]


@pytest.mark.parametrize("name", NAMES)
def test_a_failure_is_told_the_same_from_what_was_read(tmp_path, name):
    host = failing.create_failing(str(tmp_path / "host"), name)
    seen = run.examine(host.root, registry.all_rules(), record=True)
    saved = unpack(pack(seen.known))
    again = run.examine("/nowhere", registry.all_rules(), open_eyes=lambda _, ledger: Eyes(Replay(saved), ledger))
    assert [(one.id, one.cause, one.evidence) for one in again.report.findings] == [
        (one.id, one.cause, one.evidence) for one in seen.report.findings
    ]
    assert again.report.unanswered == ()
