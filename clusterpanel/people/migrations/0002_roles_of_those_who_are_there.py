"""Until now everybody who could sign in could run procedures: they are operators. Whoever might go on
without a backup is an administrator; so are Django's superusers, without a row."""

from django.conf import settings
from django.db import migrations


def give_roles(apps, _):
    User = apps.get_model(*settings.AUTH_USER_MODEL.split("."))
    Person = apps.get_model("people", "Person")
    for user in User.objects.filter(is_superuser=False, person=None):
        waived = {"user_permissions__codename": "waive_backup"}
        through_group = {"groups__permissions__codename": "waive_backup"}
        mine = User.objects.filter(pk=user.pk)
        chief = mine.filter(**waived).exists() or mine.filter(**through_group).exists()
        Person.objects.create(user=user, role="administrator" if chief else "operator")


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]
    operations = [migrations.RunPython(give_roles, migrations.RunPython.noop)]
