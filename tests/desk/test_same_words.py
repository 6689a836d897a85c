"""Item "explanations": page and contract say the same, of the same data."""

from __future__ import annotations

import html
import json

import pytest

from ringfence.desk.alerts.models import Alert
from ringfence.desk.alerts.opening import open_alerts
from ringfence.desk.config.exporting import recorded_violations
from ringfence.desk.monitoring.detect import detect
from ringfence.desk.monitoring.exporting import export_fixes
from ringfence.trail.by_piece import judge_files
from ringfence.trail.violations_file import violation_lines
from tests.desk.monitoring.conftest import (  # noqa: F401 -- fixtures
    INSIDE,
    VISIT,
    Sent,
    at,
    deliver,
    fitted,
    fresh_caches,
    tag,
    zone,
)

pytestmark = pytest.mark.django_db


def test_the_alert_page_and_evaluate_give_the_same_reasons_and_doubts(
    zone,  # noqa: F811
    tag,  # noqa: F811
    fitted,  # noqa: F811
    ola,
    client,
    tmp_path,
):
    doubtful = Sent(at(4.5), (INSIDE[0] + 0.001, INSIDE[1]), accuracy_m=None)
    deliver(tag, [*VISIT, doubtful])
    detect()
    open_alerts()
    fixes = tmp_path / "fixes.csv"
    export_fixes(fixes, by="shell:test")
    rules = {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": zone.id,
                "geometry": zone.geometry,
                "properties": {
                    "wearer": zone.wearer,
                    "kind": "exclusion",
                    "from": zone.from_at.isoformat(),
                    "to": None,
                    "buffer_m": zone.buffer_m,
                },
            }
        ],
    }
    conditions = tmp_path / "conditions.geojson"
    conditions.write_text(json.dumps(rules))
    _, judged = judge_files(conditions, fixes)
    assert violation_lines(judged.violations) == violation_lines(recorded_violations())
    client.force_login(ola)
    alert = Alert.objects.get()
    page = html.unescape(client.get(f"/alerts/{alert.public_id}").content.decode())
    told = [v for v in judged.violations if v.state == "confirmed"]
    assert any(v.doubts for v in told)
    for violation in told:
        assert violation.why
        for text in (*violation.why, *violation.doubts):
            assert f"<li>{text}</li>" in page
