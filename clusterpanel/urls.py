from django.contrib.auth import views as auth_views
from django.urls import URLPattern, URLResolver, include, path

from clusterpanel import health
from operations import api, metrics

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("sign-in/", auth_views.LoginView.as_view(template_name="sign_in.html"), name="login"),
    path("sign-out/", auth_views.LogoutView.as_view(), name="logout"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/v1/", api.urls),
    path("metrics", metrics.metrics, name="metrics"),
    path("", include("nodes.urls")),
    path("", include("operations.urls")),
]
