from __future__ import annotations

import threading
import time

from ringfence.desk.kit.turns import Turns


def test_a_greedy_writer_cannot_keep_another_out():
    """One comes back at once, again and again; the other gets in after the very next turn."""
    turns, greedy_turns, seen = Turns(), 0, []
    asking, done = threading.Event(), threading.Event()

    def gateway() -> None:
        asking.set()
        with turns:
            seen.append(greedy_turns)
        done.set()

    other = threading.Thread(target=gateway)
    with turns:
        other.start()
        asking.wait(5)
        while not turns._waiting:
            time.sleep(0.001)
    for _ in range(1000):
        with turns:
            greedy_turns += 1
    assert done.wait(5)
    other.join()
    assert seen == [0]


def test_two_writers_never_have_the_turn_at_once():
    turns, inside, most = Turns(), 0, 0

    def write() -> None:
        nonlocal inside, most
        for _ in range(200):
            with turns:
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
