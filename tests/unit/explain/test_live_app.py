import asyncio

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from linkspan.explain import live
from linkspan.explain.live import Step
from linkspan.explain.live_app import Link, LiveApp
from tests.unit.explain.startup import LIBRARIES, Start


@pytest.fixture
def start(tmp_path):
    return Start(tmp_path)


def follow(start, script, lines=50):
    """Run the app without a terminal, and what the test does with it meanwhile."""

    async def run():
        app = LiveApp(start.follower(), period_s=0.01)
        async with app.run_test(size=(80, lines)) as pilot:
            await script(app, pilot)
        return app.return_value

    return asyncio.run(asyncio.wait_for(run(), 30))


async def until(pilot: Pilot[Step], holds) -> None:
    """Wait until something holds, at most five seconds."""
    for _ in range(250):
        if holds():
            return
        await pilot.pause(0.02)
    raise AssertionError("it never came to hold")


def text(app: LiveApp, name: str) -> str:
    return str(app.query_one(name, Static).content)


def test_boxes_turn_from_waiting_to_holds_as_things_appear(start):
    async def script(app, pilot):
        box = app.query_one("#box-libcuda", Link)
        assert box.has_class("waiting")
        assert "… libcuda.so.1  waiting" in text(app, "#box-libcuda")
        assert "Waiting for a container to start." in text(app, "#phase")
        start.appear()
        start.mount(*LIBRARIES)
        await until(pilot, lambda: box.has_class("holds"))
        assert "✓ libcuda.so.1  holds" in text(app, "#box-libcuda")
        assert "libcuda.so.550.163.01" in text(app, "#box-libcuda")
        assert app.query_one("#box-nodes", Link).has_class("waiting")
        assert "A container is starting. Process 7." in text(app, "#phase")

    follow(start, script)


def test_boxes_turn_to_broken_when_the_start_has_settled(start):
    async def script(app, pilot):
        start.appear()
        start.change_root(cache="libc.so.6")
        start.run("/bin/app", "NVIDIA_VISIBLE_DEVICES=all")
        await until(pilot, lambda: app.query_one("#box-application", Link).has_class("holds"))
        start.now += live.SETTLED_S
        await until(pilot, lambda: app.query_one("#box-nodes", Link).has_class("broken"))
        assert "✗ device nodes  broken" in text(app, "#box-nodes")
        assert "The chain is broken" in text(app, "#verdict")

    follow(start, script)


def test_q_quits_with_what_was_seen_last(start):
    async def script(app, pilot):
        start.appear()
        await until(pilot, lambda: "starting" in text(app, "#phase"))
        await pilot.press("q")

    last = follow(start, script)
    assert last.phase == "starting"
    assert last.chain.subject == "process 7"


def test_what_a_container_is_called_cannot_rewrite_the_terminal(start):
    async def script(app, pilot):
        start.appear()
        start.run("/bin/\x1b[31m[bold]\u202e")
        await until(pilot, lambda: app.query_one("#box-application", Link).has_class("holds"))
        assert r"/bin/\x1b[31m[bold]\u202e" in text(app, "#box-application")

    follow(start, script)


def test_all_boxes_are_seen_at_once_on_a_terminal_of_24_lines(start):
    async def script(app, pilot):
        await pilot.pause()
        last = list(app.query(Link))[-1].region
        assert last.bottom <= 23  # below it is the line of the keys
        assert last.height == 2

    follow(start, script, lines=24)
