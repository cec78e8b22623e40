from django.db import migrations


def forget(apps, schema_editor):
    """Rows of earlier versions: each would open a session of theirs, and none is found any more."""
    apps.get_model("sessions", "Session").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [
        ("clusterpanel", "0002_tokens_have_a_name_a_role_and_an_end"),
        ("sessions", "0001_initial"),
    ]
    operations = [migrations.RunPython(forget, migrations.RunPython.noop)]
