from django.db import migrations, models


def last_is_first(apps, schema_editor):
    """What waits since before nobody knew the last of: it is the first, and its turn comes soon."""
    late = apps.get_model("monitoring", "LateReports")
    late.objects.update(latest_ms=models.F("received_ms"))


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0008_correction_cause")]

    operations = [
        migrations.AddField(
            model_name="latereports",
            name="latest_ms",
            field=models.BigIntegerField(default=0),
            preserve_default=False,
        ),
        migrations.RunPython(last_is_first, migrations.RunPython.noop),
    ]
