"""A strap that was cut by a tag whose clock is not set: from its TCP port to the alert's page."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.gateway.codecs.tag_frames import IMEI, mgv
from tests.live.running import RINGFENCE, Running, commands, free_port, new_tag

SHOW = """
import sys; from pathlib import Path; from ringfence.desk.config.opening import open_desk
open_desk(Path(sys.argv[1]))
from django.conf import settings; settings.ALLOWED_HOSTS = ["testserver"]
from django.test import Client
from ringfence.desk.accounts.models import User
client = Client()
client.force_login(User.objects.create_user(username="otto", password=None, role="operator"))
print(client.get(f"/alerts/{sys.argv[2]}").content.decode())
"""


@dataclass
class WithMegastek(Running):
    """`ringfence up` with a port for Megastek tags."""

    door: int = field(default_factory=free_port)

    def start(self) -> None:
        log = (self.data.parent / "up.log").open("ab")
        up = [RINGFENCE, "up", "--data", self.data, "--port", str(self.port)]
        env = {**os.environ, "RINGFENCE_TCP": f"megastek:{self.door}", "NUMBA_NUM_THREADS": "1"}
        self.process = subprocess.Popen(up, stdout=log, stderr=log, env=env)


def test_an_undated_strap_alarm_opens_an_alert_that_says_whose_time_it_has(data: Path) -> None:
    platform = WithMegastek(data)
    commands(
        new_tag(data, "T1", "X000001", "2026-01-01T00:00:00Z"),
        ("tags", "device", "add", "T1", IMEI, "--protocol", "megastek", "--data", data),
    )
    platform.start()
    try:
        platform.wait_ready()
        before_ms = int(time.time() * 1000)
        with socket.create_connection(("127.0.0.1", platform.door)) as line:
            line.sendall(mgv(imei=IMEI, day="000000", alarm="Belt Off"))
            end_s = time.monotonic() + 60
            while not (rows := platform.rows("SELECT public_id, kind, state FROM alerts_alert")):
                assert time.monotonic() < end_s, "no alert opens"
                time.sleep(0.1)
    finally:
        platform.stop()
    ((public_id, kind, state),) = rows
    assert (kind, state) == ("tamper", "open")
    ((time_ms, received_ms, lat),) = platform.rows(
        "SELECT r.time_ms, f.received_ms, r.lat_e7 FROM monitoring_report r "
        "JOIN monitoring_frame f ON f.id = r.frame_id"
    )
    # To the millisecond, so that the kept bytes come to the same report whenever they are read.
    assert before_ms <= time_ms == received_ms <= int(time.time() * 1000)
    assert lat is None
    python = RINGFENCE.parent / "python"
    shown = subprocess.run(
        [python, "-c", SHOW, platform.data, public_id], check=True, capture_output=True, text=True
    )
    assert "(the server’s time)" in shown.stdout
    assert "The tag said no time" in shown.stdout
    assert "The engine found no other doubt" in shown.stdout
