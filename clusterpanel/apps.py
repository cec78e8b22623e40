from django.apps import AppConfig


class ClusterPanelConfig(AppConfig):
    name = "clusterpanel"

    def ready(self) -> None:
        from clusterpanel import checks  # noqa: F401  registers the system checks
