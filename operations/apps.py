from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "operations"

    def ready(self) -> None:
        from nodes import history
        from operations.history import StoredHistory

        history.register(StoredHistory())
