from django.db import migrations, models

import operations.body


class Migration(migrations.Migration):
    dependencies = [("operations", "0001_initial")]

    operations = [
        migrations.AddField("run", "log_packed", models.PositiveIntegerField(default=0)),
        migrations.AddField("run", "log_removed", models.JSONField(null=True)),
        # The column stays what it is; SQLite would copy the whole journal to learn that.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField("journalchunk", "body", operations.body.BodyField())
            ]
        ),
    ]
