import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0002_judged_by_what'),
        ('cases', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='frame',
            name='tag',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cases.tag'),
        ),
    ]
