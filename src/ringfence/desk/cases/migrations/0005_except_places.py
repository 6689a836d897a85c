from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('cases', "0004_feeds"),
    ]

    operations = [
        migrations.AddField(
            model_name='conditionversion',
            name='except_places',
            field=models.JSONField(default=list),
        ),
    ]
