from __future__ import annotations

import threading
import time

from ringfence.desk.kit.bell import Bell


def test_a_ring_that_came_before_the_wait_is_not_missed():
    bell = Bell()
    heard = bell.rings
    bell.ring()
    began = time.perf_counter()
    assert bell.wait(heard, 5.0) == heard + 1
    assert time.perf_counter() - began < 1


def test_without_a_ring_the_wait_ends_in_time():
    bell = Bell()
    assert bell.wait(bell.rings, 0.01) == bell.rings


def test_one_ring_wakes_every_waiter():
    bell = Bell()
    heard = bell.rings
    woken = []
    waiters = [threading.Thread(target=lambda: woken.append(bell.wait(heard, 5))) for _ in range(3)]
    for waiter in waiters:
        waiter.start()
    bell.ring()
    for waiter in waiters:
        waiter.join(5)
    assert woken == [heard + 1] * 3
