from __future__ import annotations

import asyncio
import json

import pytest

from ringfence.desk.config.asgi import Platform
from ringfence.desk.config.plain import respond
from ringfence.desk.config.static_files import StaticFiles


def ask(application, path: str, method: str = "GET", **headers: str):
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": [(k.lower().encode(), v.encode()) for k, v in headers.items()],
    }
    asyncio.run(application(scope, receive, send))
    body = b"".join(m.get("body", b"") for m in sent[1:])
    return sent[0]["status"], dict(sent[0]["headers"]), body


def part(name: str):
    async def application(_scope, _receive, send):
        await respond(send, 200, name)

    return application


@pytest.fixture
def platform(tmp_path):
    return Platform(tmp_path, [], part("gateway"), part("pages"), part("static"))


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/gateway/v1/reports", b"gateway"),
        ("/static/a.css", b"static"),
        ("/", b"pages"),
        ("/gatewayish", b"pages"),
        ("/healthz", b"alive\n"),
        ("/readyz", b"ready\n"),
    ],
)
def test_each_path_goes_to_its_part(platform, path, answer):
    assert ask(platform, path)[2] == answer


def test_a_part_that_is_not_run_here_says_so(tmp_path):
    status, _, body = ask(Platform(tmp_path, []), "/gateway/v1/reports")
    assert (status, body) == (404, b"this process does not run the gateway\n")


def test_not_ready_names_every_reason(tmp_path):
    platform = Platform(tmp_path, [lambda: "disk: full", lambda: None, lambda: "monitor: silent"])
    status, _, body = ask(platform, "/readyz")
    assert (status, body) == (503, b"disk: full\nmonitor: silent\n")


def test_streets_are_served_once_a_world_is_loaded(platform, tmp_path):
    assert json.loads(ask(platform, "/map/streets.geojson")[2])["features"] == []
    (tmp_path / "streets.geojson").write_text('{"type":"FeatureCollection","features":[1]}')
    assert json.loads(ask(platform, "/map/streets.geojson")[2])["features"] == [1]


def test_health_is_read_only(platform):
    assert ask(platform, "/healthz", "POST")[0] == 405


@pytest.fixture
def static(tmp_path):
    (tmp_path / "page.0123456789ab.js").write_text("let x = 1;" * 200)
    (tmp_path / "page.0123456789ab.js.gz").write_bytes(b"zipped")
    (tmp_path / "plain.txt").write_text("plain")
    return StaticFiles(tmp_path)


def test_hashed_files_are_kept_for_ever_and_sent_zipped(static):
    path = "/static/page.0123456789ab.js"
    status, headers, body = ask(static, path, **{"Accept-Encoding": "gzip"})
    assert (status, body) == (200, b"zipped")
    assert b"immutable" in headers[b"cache-control"]
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert ask(static, path)[2].startswith(b"let x")


def test_an_unchanged_file_is_not_sent_again(static):
    _, headers, _ = ask(static, "/static/plain.txt")
    again = ask(static, "/static/plain.txt", **{"If-None-Match": headers[b"etag"].decode()})
    assert (again[0], again[2]) == (304, b"")


@pytest.mark.parametrize("path", ["/static/absent.js", "/static/../secret-key", "/static/"])
def test_nothing_else_is_served(static, path):
    assert ask(static, path)[0] == 404


def test_files_are_not_written_to(static):
    assert ask(static, "/static/plain.txt", "POST")[0] == 405
    assert ask(static, "/static/plain.txt", "HEAD")[2] == b""
