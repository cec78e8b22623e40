from django.urls import URLPattern, URLResolver, include, path

from clusterpanel import audit_page, health
from operations import api_urls, metrics

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("", include("clusterpanel.people.urls")),
    path("audit/", audit_page.audit, name="audit"),
    path("audit/export/", audit_page.export, name="audit-export"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/v1/", api_urls.urls),
    path("metrics", metrics.metrics, name="metrics"),
    path("", include("nodes.urls")),
    path("", include("operations.urls")),
]
