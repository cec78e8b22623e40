from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("operations", "0002_journals_are_packed_and_removed")]

    operations = [migrations.RemoveField("run", "log_packed")]
