from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from ringfence.desk.config.environment import SETTINGS, SettingError, read_environment

ROOT = Path(__file__).parents[3]


def test_nothing_need_be_set():
    environment = read_environment({})
    assert environment.data == Path("ringfence-data").absolute()
    assert (environment.port, environment.https, environment.log) == (8000, False, None)
    assert environment.hosts == ("127.0.0.1", "localhost", "[::1]")


def test_what_is_set_is_read(tmp_path):
    environment = read_environment(
        {
            "RINGFENCE_DATA": str(tmp_path),
            "PORT": "81",
            "RINGFENCE_HTTPS": "1",
            "RINGFENCE_HOSTS": "a.example, b.example",
            "RINGFENCE_MAP_STYLE": "https://tiles.example:8443/a/{z}/{x}/{y}.png",
        }
    )
    assert (environment.data, environment.port, environment.https) == (tmp_path, 81, True)
    assert environment.hosts == ("a.example", "b.example")
    assert environment.map_origin == "https://tiles.example:8443"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "70000"),
        ("RINGFENCE_HTTPS", "yes"),
        ("RINGFENCE_MAP_STYLE", "ftp://tiles/{z}"),
        ("RINGFENCE_MAP_STYLE", "https:///{z}"),
        ("RINGFENCE_TCP", "fax:5027"),
        ("RINGFENCE_TCP", "queclink"),
        ("RINGFENCE_TCP", "queclink:70000"),
        ("RINGFENCE_TCP_CONNECTIONS", "many"),
        ("RINGFENCE_TCP_PER_ADDRESS", "0"),
        ("RINGFENCE_TCP_IDLE_S", "-1"),
        ("RINGFENCE_TCP_TLS_CERT", "/a.pem"),
        ("RINGFENCE_TCP_TLS_CLIENT_CA", "/a.pem"),
    ],
)
def test_a_value_that_can_t_be_used_is_named(name, value):
    with pytest.raises(SettingError, match=name):
        read_environment({name: value})


def test_tcp_doors_are_read():
    environment = read_environment({"RINGFENCE_TCP": "teltonika:5027, queclink:[::]:5004,r16h:0"})
    assert environment.doors == (
        ("teltonika", "", 5027),
        ("queclink", "::", 5004),
        ("r16h", "", 0),
    )


def test_the_docs_list_every_setting():
    said = (ROOT / "docs" / "settings.md").read_text()
    listed = dict(re.findall(r"^\| `([A-Z_]+)` \| `?([^|`]*?)`? *\|", said, re.MULTILINE))
    assert listed == {s.name: s.default for s in SETTINGS}


def test_no_module_reads_a_setting_by_itself():
    known = {s.name for s in SETTINGS}
    for path in (ROOT / "src").rglob("*.py"):
        text = path.read_text()
        read = set(re.findall(r"(?:environ(?:\.get)?[\[(]|getenv\()\"([A-Z_]+)\"", text))
        written = set(re.findall(r"environ\[\"([A-Z_]+)\"\] =", text))
        if path.name != "environment.py":
            assert not (read - written) & known, path
    assert os.environ.get("DJANGO_SETTINGS_MODULE") == "ringfence.desk.config.settings"
