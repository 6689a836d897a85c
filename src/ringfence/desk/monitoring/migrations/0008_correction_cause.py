from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """What a correction was caused by."""

    dependencies = [("monitoring", "0007_late_reports")]

    operations = [
        migrations.AddField(
            model_name="correction", name="cause", field=models.JSONField(default=dict)
        ),
    ]
