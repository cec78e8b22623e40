from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "clusterpanel.people"
    label = "people"

    def ready(self) -> None:
        from clusterpanel.people import signals  # noqa: F401  connects them
