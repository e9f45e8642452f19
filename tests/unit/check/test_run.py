"""The runner: rules that fail, hang or die cost their own answer alone."""

import os
import time
from collections.abc import Iterator

import pytest

from linkspan.check import run
from linkspan.check.eyes import Eyes, Ledger, Replay, live
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene


def found(cause: str) -> Found:
    return Found(cause=cause, evidence=(Evidence(subject="/x"),), remedy=Remedy(text="mend it"))


def rule(look: object) -> Rule:
    return Rule(id="D-DRIVER-1", link="pci", severity="error", look=look)  # type: ignore[arg-type]


def says(text: str) -> Rule:
    def look(_: Scene) -> Iterator[Found]:
        yield found(text)

    return rule(look)


def reads(path: str) -> Rule:
    def look(scene: Scene) -> Iterator[Found]:
        yield found(scene.line(path) or "nothing")

    return rule(look)


def causes(*rules: Rule, root: object = "/", **options: object) -> list[str]:
    report = run.examine(str(root), rules, **options).report  # type: ignore[arg-type]
    return sorted(one.cause for one in report.findings)


def test_a_rule_that_fails_is_told_and_the_others_answer(tmp_path):
    def fails(_: Scene) -> Iterator[Found]:
        raise ValueError("on the moon")
        yield

    report = run.examine(str(tmp_path), [says("one"), rule(fails), says("two")]).report
    assert sorted(one.cause for one in report.findings) == ["one", "two"]
    assert [one.reason for one in report.unanswered] == ["a bug in linkspan: ValueError: on the moon"]


def test_a_child_that_dies_costs_one_answer(tmp_path):
    def dies(_: Scene) -> Iterator[Found]:
        os._exit(1)
        yield

    report = run.examine(str(tmp_path), [says("one"), rule(dies), says("two")]).report
    assert sorted(one.cause for one in report.findings) == ["one", "two"]
    assert len(report.unanswered) == 1


class Stuck(Eyes):
    """Eyes for which one file hangs, as one of a broken driver does."""

    def read(self, path: str, offset: int = 0, length: int = 4096) -> bytes | None:
        return self._ask("read", path, lambda: self._wait(path), None)

    def _wait(self, path: str) -> bytes:
        if path == "/stuck":
            time.sleep(3600)
        return b"fine"


@pytest.mark.parametrize("record", [False, True])
def test_a_file_that_hangs_costs_one_time_limit_and_is_named(tmp_path, monkeypatch, record):
    monkeypatch.setattr(run, "TIME_S", 0.3)
    began = time.monotonic()
    report = run.examine(
        str(tmp_path),
        [says("one"), reads("/stuck"), reads("/stuck"), reads("/other")],
        open_eyes=lambda root, ledger: Stuck(live(root, ledger)._host, ledger),
        record=record,
    ).report
    assert sorted(one.cause for one in report.findings) == ["fine", "nothing", "nothing", "one"]
    assert [one.reason for one in report.unanswered] == ["reading /stuck gave no answer within 0.3 s"]
    assert time.monotonic() - began < 2


def test_a_rule_that_never_ends_without_reading_is_given_up(tmp_path, monkeypatch):
    def never(_: Scene) -> Iterator[Found]:
        time.sleep(3600)
        yield

    monkeypatch.setattr(run, "TIME_S", 0.2)
    assert causes(says("one"), rule(never), says("two"), root=tmp_path) == ["one", "two"]


def test_what_was_read_gives_the_same_answers_elsewhere(tmp_path):
    (tmp_path / "text").write_text("kept")
    (tmp_path / "bytes").write_bytes(b"\xff\x00")
    rules = [reads("/text"), reads("/bytes"), reads("/absent")]
    seen = run.examine(str(tmp_path), rules, record=True)
    saved = seen.known
    (tmp_path / "text").write_text("changed")
    again = run.examine("x", rules, open_eyes=lambda _, ledger: Eyes(Replay(saved), ledger)).report
    assert again.findings == seen.report.findings
    assert Ledger().known == {}
