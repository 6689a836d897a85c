from __future__ import annotations

import threading
import time

from ringfence.desk.config.health import SILENT_S, faults, watch_is_alive
from ringfence.desk.config.watch import STAGE_FAILURES, Stage, Watch
from ringfence.desk.kit import bell


def failures_counted(stage: str) -> float:
    return STAGE_FAILURES.labels(stage)._value.get()


def test_the_stages_run_in_order():
    ran: list[str] = []
    stages = [Stage(name, lambda name=name: ran.append(name) or 1) for name in "abc"]
    assert Watch(stages).round() == 3
    assert ran == ["a", "b", "c"]


def test_one_that_fails_is_counted_and_does_not_stop_the_others():
    ran = []

    def broken() -> int:
        raise RuntimeError("no")

    watch = Watch([Stage("broken-1", broken), Stage("fine", lambda: ran.append(1) or 0)])
    before = failures_counted("broken-1")
    watch.round()
    watch.round()
    assert len(ran) == 2
    assert failures_counted("broken-1") == before + 1  # the second round is within its pause


def test_the_pause_after_a_failure_grows_and_ends_with_success(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    broken = [True]

    def stage() -> int:
        if broken[0]:
            raise RuntimeError("no")
        return 1

    stage_ = Stage("broken-2", stage)
    pauses = []
    for _ in range(12):
        stage_.step()
        pauses.append(round(stage_.next_at_s - clock[0], 3))
        clock[0] = stage_.next_at_s
    assert pauses[:4] == [0.2, 0.4, 0.8, 1.6]
    assert pauses[-1] == 30.0
    broken[0] = False
    assert stage_.step() == 1
    assert stage_.failures == 0


def test_a_rare_stage_waits_for_its_time():
    ran = []
    watch = Watch([Stage("rare", lambda: ran.append(1) or 0, every_s=60.0)])
    watch.round()
    watch.round()
    assert len(ran) == 1


def test_a_ring_wakes_the_loop_at_once_and_stop_ends_it():
    rounds = threading.Semaphore(0)
    watch = Watch([Stage("s", lambda: rounds.release() or 0)])
    watch.start()
    assert rounds.acquire(timeout=2)
    began = time.perf_counter()
    for _ in range(20):
        bell.ring()
        assert rounds.acquire(timeout=2)
    assert time.perf_counter() - began < 20 * 0.2
    assert watch.stop(2.0)


def test_work_done_wakes_live_pages():
    heard = bell.changes.rings
    Watch([Stage("s", lambda: 0)]).round()
    assert bell.changes.rings == heard
    Watch([Stage("s", lambda: 1)]).round()
    assert bell.changes.rings == heard + 1


def test_a_silent_loop_is_not_ready():
    assert watch_is_alive(lambda: 1.0)() is None
    assert "silent for 11 s" in str(watch_is_alive(lambda: SILENT_S + 1)())


def test_a_check_that_breaks_is_a_fault():
    def broken() -> str | None:
        raise OSError

    assert faults([broken, lambda: None, lambda: "so"])[1:] == ["so"]
    assert len(faults([broken])) == 1
