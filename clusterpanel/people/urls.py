from django.contrib.auth import views as auth_views
from django.urls import URLPattern, path, register_converter

from clusterpanel.people.views import account, oidc, people, sign_in


class Verb:
    """The buttons of a person's page."""

    regex = "role|deactivate|activate|sign-out|factor|unlock|link"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(Verb, "verb")

urlpatterns: list[URLPattern] = [
    path("sign-in/", sign_in.SignIn.as_view(), name="login"),
    path("sign-in/code/", sign_in.code, name="sign-in-code"),
    path("sign-in/provider/", oidc.begin, name="oidc"),
    path("sign-in/provider/back/", oidc.back, name="oidc-back"),
    path("sign-out/", auth_views.LogoutView.as_view(), name="logout"),
    path("password/<uidb64>/<token>/", sign_in.SetPassword.as_view(), name="password-set"),
    path("account/", account.account, name="account"),
    path("account/password/", account.password, name="account-password"),
    path("account/sign-out/", account.sign_out_everywhere, name="account-sign-out"),
    path("account/sessions/<slug:session>/end/", account.session_end, name="session-end"),
    path("account/factor/", account.factor, name="account-factor"),
    path("account/factor/drop/", account.factor_drop, name="account-factor-drop"),
    path("account/tokens/", account.token_create, name="token-create"),
    path("account/tokens/<int:token_id>/revoke/", account.token_revoke, name="token-revoke"),
    path("people/", people.people, name="people"),
    path("people/<int:user_id>/", people.person, name="person"),
    path("people/<int:user_id>/<verb:verb>/", people.act, name="person-act"),
]
