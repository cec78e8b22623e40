from django.db import migrations


def forget(apps, schema_editor):
    """Roles say who may go on without a backup; `people.0002` has read who had this."""
    permissions = apps.get_model("auth", "Permission").objects
    permissions.filter(content_type__app_label="operations", codename="waive_backup").delete()


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("operations", "0006_pending_settings_show_their_command"),
        ("people", "0002_roles_of_those_who_are_there"),
    ]
    operations = [
        migrations.AlterModelOptions(name="run", options={"ordering": ["-created_at"]}),
        migrations.RunPython(forget, migrations.RunPython.noop),
    ]
