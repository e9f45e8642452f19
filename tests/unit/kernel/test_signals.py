import signal
import threading

import pytest

from linkspan.kernel.signals import held_back


def test_a_signal_waits_for_the_end_of_the_block():
    order = []
    with pytest.raises(KeyboardInterrupt):
        with held_back():
            signal.raise_signal(signal.SIGINT)
            order.append("the block went on")
        order.append("what follows did not")
    assert order == ["the block went on"]


def test_the_handlers_are_as_before():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    with held_back():
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


def test_an_error_of_the_block_comes_before_a_signal():
    with pytest.raises(ZeroDivisionError), held_back():
        signal.raise_signal(signal.SIGINT)
        print(1 / 0)


def test_in_another_thread_there_is_nothing_to_hold_back():
    done = []

    def work() -> None:
        with held_back():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]
