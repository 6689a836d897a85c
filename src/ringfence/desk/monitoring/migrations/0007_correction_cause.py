from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """What a correction was caused by."""

    dependencies = [("monitoring", "0006_quarantined_size")]

    operations = [
        migrations.AddField(
            model_name="correction", name="cause", field=models.JSONField(default=dict)
        ),
    ]
