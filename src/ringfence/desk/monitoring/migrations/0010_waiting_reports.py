from django.db import migrations, models


def all_late(apps, schema_editor):
    """What waits since before is all late: of the past, and noted as that."""
    late = apps.get_model("monitoring", "LateReports")
    late.objects.update(to_ms=models.F("from_ms"), late=models.F("reports"))


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0009_late_latest")]

    operations = [
        migrations.AddField(
            model_name="latereports",
            name="to_ms",
            field=models.BigIntegerField(default=0),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="latereports",
            name="late",
            field=models.PositiveIntegerField(default=0),
            preserve_default=False,
        ),
        migrations.RunPython(all_late, migrations.RunPython.noop),
    ]
