from django.db import migrations, models
from django.db.models.functions import Length


def measure(apps, _schema):
    apps.get_model('monitoring', 'Quarantine').objects.update(size=Length('raw'))


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0005_evidence'),
    ]

    operations = [
        migrations.AddField(
            model_name='quarantine',
            name='size',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.RunPython(measure, migrations.RunPython.noop),
    ]
