"""People who come in by an OpenID Connect provider, and those who would like to be taken for them."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib.auth.models import User
from django.test import Client

from clusterpanel.models import ApiToken, AuditEntry
from clusterpanel.people import second_factor, services
from clusterpanel.people.directory.configured import ANSWER_S
from clusterpanel.people.models import Identity
from tests.people.directory.certificates import Authority
from tests.people.directory.provider import CLIENT, Provider, encoded, part
from tests.people.made import PASSWORD, person

pytestmark = pytest.mark.django_db
Use = Callable[..., Any]
BACK = "/sign-in/provider/back/"


@pytest.fixture(autouse=True)
def olga(provider: Provider, by_oidc: Use) -> None:
    """Who sits at the browser, as long as a test says nothing else."""
    provider.person = {"sub": "u-1", "preferred_username": "olga", "groups": ["staff", "ops"]}


@pytest.fixture
def travel(authority: Authority) -> Use:
    """To the provider and back; the answer of the panel at the end."""

    def go(client: Client, query: str = "") -> Any:
        away = client.get(f"/sign-in/provider/{query}")
        assert away.status_code == 302, away.content.decode()
        return client.get(returned(away["Location"]))

    def returned(url: str) -> str:
        answer = requests.get(url, verify=str(authority.file), allow_redirects=False, timeout=5)
        return answer.headers["Location"].removeprefix("http://testserver")

    go.returned = returned  # type: ignore[attr-defined]
    return go


def is_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def refused(answer: Any, code: str, client: Client) -> str:
    """Asserts that nobody came in, and that the audit has why; what the audit says of it."""
    assert answer.status_code in (400, 403, 503), answer.content.decode()
    assert "alert-fix" in answer.content.decode()
    assert not is_in(client)
    entry = AuditEntry.objects.filter(action="sign_in.refused").latest("id")
    assert (entry.detail["way"], entry.detail["code"]) == ("oidc", code)
    return str(entry.detail.get("detail", ""))


def test_there_and_back_with_the_role_of_the_claim(travel: Use, provider: Provider) -> None:
    client = Client()
    page = client.get("/sign-in/?next=/runs/").content.decode()
    assert "Sign in with Corp ID" in page
    assert 'href="/sign-in/provider/?next=%2Fruns%2F"' in page
    assert travel(client, "?next=/runs/")["Location"] == "/runs/"
    assert is_in(client)
    user = User.objects.get(username="olga")
    assert user.person.role == "operator"
    assert not user.has_usable_password()
    entry = AuditEntry.objects.get(action="sign_in")
    assert (entry.who, entry.detail["way"]) == ("olga", "oidc")
    assert 11 * 3600 < client.session.get_expiry_age() <= 12 * 3600
    asked = provider.asked[0]
    assert asked["code_challenge_method"] == "S256"
    assert asked["response_type"] == "code"
    assert len(asked["state"]) > 20
    assert len(asked["nonce"]) >= 20


def test_beginning_keeps_nothing_here(travel: Use) -> None:
    client = Client()
    cookie = client.get("/sign-in/provider/").cookies["at_the_provider"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert "sessionid" not in client.cookies
    assert AuditEntry.objects.count() == 0


def none_at_all(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return f"{part({**header, 'alg': 'none'})}.{part(claims)}."


def confused(provider: Provider) -> Any:
    """HS256, with the public key that everybody knows as the secret."""

    def made(header: dict[str, Any], claims: dict[str, Any]) -> str:
        public = provider.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        text = f"{part({**header, 'alg': 'HS256'})}.{part(claims)}"
        return f"{text}.{encoded(hmac.digest(public, text.encode(), hashlib.sha256))}"

    return made


def strangers(provider: Provider) -> Any:
    """By another key that calls itself like the real one."""
    other = Provider.__new__(Provider)
    other.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return other.sign


def of_before(provider: Provider) -> Any:
    """By the key that was published until a moment ago."""
    old, kid = Provider.__new__(Provider), provider.kid
    old.key = provider.key
    provider.rotate()
    return lambda header, claims: old.sign({**header, "kid": kid}, claims)


def with_claims(**words: Any) -> Callable[[Provider], Any]:
    """A well signed token that says something else; None: the claim is left out."""

    def kind(provider: Provider) -> Any:
        def made(header: dict[str, Any], claims: dict[str, Any]) -> str:
            told = {name: value for name, value in {**claims, **words}.items() if value is not None}
            return provider.sign(header, told)

        return made

    return kind


FORGED: dict[str, Any] = {
    "no algorithm": lambda _: none_at_all,
    "HS256 by the public key": confused,
    "another key": strangers,
    "a key of before": of_before,
    "no token at all": lambda _: lambda *_: "x",
    "a list": lambda provider: lambda header, _: provider.sign(header, [1]),
    "another issuer": with_claims(iss="https://127.0.0.1:1"),
    "no issuer": with_claims(iss=None),
    "another audience": with_claims(aud="shop"),
    "another audience, by way of us": with_claims(aud="shop", azp=CLIENT),
    "two audiences, for the other": with_claims(aud=[CLIENT, "shop"], azp="shop"),
    "no audience": with_claims(aud=None),
    "another nonce": with_claims(nonce="x" * 20),
    "no nonce": with_claims(nonce=None),
    "expired": with_claims(exp=int(time.time()) - 120),
    "no end": with_claims(exp=None),
    "not yet": with_claims(nbf=int(time.time()) + 600),
    "from the future": with_claims(iat=int(time.time()) + 600),
    "no subject": with_claims(sub=None),
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_token_that_is_not_what_it_should_be(travel: Use, provider: Provider, kind: str) -> None:
    provider.wrong = FORGED[kind](provider)
    client = Client()
    refused(travel(client), "token_wrong", client)
    assert not User.objects.exists()


def test_a_new_key_of_the_provider_is_found(travel: Use, provider: Provider) -> None:
    assert is_in_after(travel, Client())
    provider.rotate()
    assert is_in_after(travel, Client())


def is_in_after(travel: Use, client: Client) -> bool:
    travel(client)
    return is_in(client)


def test_another_state_is_somebody_elses_answer(travel: Use) -> None:
    client = Client()
    away = client.get("/sign-in/provider/")["Location"]
    back = travel.returned(away)  # type: ignore[attr-defined]
    refused(client.get(back.replace("state=", "state=x")), "state_wrong", client)
    refused_again = client.get(back)  # the cookie went with the first answer
    assert refused_again.status_code == 400
    assert not is_in(client)


def test_an_answer_that_this_browser_did_not_ask_for(travel: Use) -> None:
    """Somebody is lured to the end of an attacker's own sign-in."""
    attacker, victim = Client(), Client()
    back = travel.returned(attacker.get("/sign-in/provider/")["Location"])  # type: ignore[attr-defined]
    assert victim.get(back).status_code == 400
    victim.get("/sign-in/provider/")
    refused(victim.get(back), "state_wrong", victim)
    assert AuditEntry.objects.filter(action="sign_in").count() == 0


def test_a_code_opens_once(travel: Use) -> None:
    client, thief = Client(), Client()
    away = client.get("/sign-in/provider/")
    cookie = away.cookies["at_the_provider"].value
    back = travel.returned(away["Location"])  # type: ignore[attr-defined]
    client.get(back)
    assert is_in(client)
    thief.cookies["at_the_provider"] = cookie  # everything but the first use
    refused(thief.get(back), "code_refused", thief)


@pytest.mark.parametrize("cookie", ["", "x", "x:y:z", "eyJ4IjoxfQ:1tAbcd:AAAA"])
def test_a_made_up_cookie_is_none(cookie: str) -> None:
    client = Client()
    client.cookies["at_the_provider"] = cookie
    answer = client.get(f"{BACK}?code=x&state=x")
    assert answer.status_code == 400
    assert "belongs to no sign-in of this browser" in answer.content.decode()
    assert not AuditEntry.objects.exists()  # whoever calls it for fun fills no audit


def test_a_no_of_the_provider_is_a_sentence_and_its_text_no_markup(travel: Use) -> None:
    client = Client()
    state = parse_qs(urlsplit(client.get("/sign-in/provider/")["Location"]).query)["state"][0]
    answer = client.get(f"{BACK}?state={state}&error=<script>alert(1)</script>")
    assert "<script>alert" not in answer.content.decode()
    assert "Corp ID did not let you in" in answer.content.decode()
    refused(answer, "provider_refused", client)


def test_an_answer_in_the_name_of_another_provider(travel: Use) -> None:
    client = Client()
    back = travel.returned(client.get("/sign-in/provider/")["Location"])  # type: ignore[attr-defined]
    refused(client.get(f"{back}&iss=https://elsewhere"), "token_wrong", client)


@pytest.mark.parametrize(
    "groups", [["staff"], [], None, "operators", {"ops": 1}, [1], 7, [["ops"]]]
)
def test_claims_without_a_role_open_nothing(travel: Use, provider: Provider, groups: Any) -> None:
    provider.person["groups"] = groups
    client = Client()
    answer = travel(client)
    words = isinstance(groups, str) or groups is None or groups in ([], ["staff"])
    refused(answer, "no_role" if words else "claim_unusable", client)
    assert ("none of your groups" if words else "“groups” in words") in answer.content.decode()
    assert not User.objects.exists()


@pytest.mark.parametrize("name", [None, 7, "", "a b", "<b>", "имя", "x" * 151])
def test_a_name_that_is_none_is_a_sentence(travel: Use, provider: Provider, name: Any) -> None:
    provider.person["preferred_username"] = name
    client = Client()
    answer = travel(client)
    refused(answer, "name_unusable" if name and name != 7 else "claim_unusable", client)
    assert not User.objects.exists()


def test_roles_may_lie_deeper_and_the_name_elsewhere(
    travel: Use, provider: Provider, by_oidc: Use
) -> None:
    by_oidc(OIDC_ROLE_CLAIM="realm_access.roles", OIDC_NAME_CLAIM="email")
    provider.person |= {"realm_access": {"roles": ["chiefs"]}, "email": "olga@corp.example"}
    travel(Client())
    assert User.objects.get(username="olga@corp.example").person.role == "administrator"


def test_an_account_is_not_taken_over_by_its_name_or_mail(
    travel: Use, provider: Provider, by_oidc: Use
) -> None:
    chief = person("root@corp.example", "administrator", PASSWORD)
    chief.email = "root@corp.example"
    chief.save()
    by_oidc(OIDC_NAME_CLAIM="email")
    provider.person |= {"email": "ROOT@corp.example", "email_verified": True}
    client = Client()
    travel(client)
    assert client.get("/account/").context["request"].user.pk != chief.pk
    assert User.objects.get(username="ROOT@corp.example@oidc").person.role == "operator"
    assert not Identity.objects.filter(user=chief).exists()
    assert client.get("/people/").status_code == 403


def test_the_subject_is_the_person_and_not_the_name(travel: Use, provider: Provider) -> None:
    travel(Client())
    provider.person |= {"preferred_username": "olga.new", "groups": ["chiefs"]}
    travel(Client())
    assert User.objects.get().username == "olga"  # one person, with the role of today
    assert User.objects.get().person.role == "administrator"
    provider.person |= {"sub": "U-1", "preferred_username": "olga"}
    travel(Client())
    assert User.objects.count() == 2


def test_no_role_any_more_ends_the_open_sessions(travel: Use, provider: Provider) -> None:
    client = Client()
    travel(client)
    provider.person["groups"] = []
    other = Client()
    refused(travel(other), "no_role", other)
    assert not is_in(client)


def test_a_deactivated_person_stays_so(travel: Use) -> None:
    client = Client()
    travel(client)
    services.person_deactivate(by=None, user=User.objects.get())
    assert not is_in(client)
    refused(travel(client), "deactivated", client)


def test_signing_out_everywhere_ends_it(travel: Use) -> None:
    client, other = Client(), Client()
    travel(client)
    travel(other)
    other.post("/account/sign-out/")
    assert not is_in(client)


def test_a_pause_after_guessing_holds_here_too(travel: Use) -> None:
    travel(Client())
    for _ in range(5):
        Client().post("/sign-in/", {"username": "olga", "password": "guess"})
    client = Client()
    assert travel(client).status_code == 429
    assert not is_in(client)


@pytest.mark.parametrize("wanted", ["//evil.example/", "https://evil.example/", "javascript:1"])
def test_it_never_leads_to_another_host(travel: Use, wanted: str) -> None:
    assert travel(Client(), f"?next={wanted}")["Location"] == "/"


def with_factor() -> str:
    secret = second_factor.new_secret()
    second_factor.set_up(User.objects.get(username="olga").person, secret, 0)
    return secret


def test_the_panel_asks_for_its_second_factor(travel: Use, provider: Provider) -> None:
    travel(Client())
    secret = with_factor()
    provider.person["amr"] = ["pwd", "mfa"]
    client = Client()
    assert travel(client, "?next=/runs/")["Location"] == "/sign-in/code/"
    assert not is_in(client)
    assert "Corp ID let you in" in client.get("/sign-in/code/").content.decode()
    answer = client.post("/sign-in/code/", {"code": pyotp.TOTP(secret).now()})
    assert answer["Location"] == "/runs/"
    assert AuditEntry.objects.filter(action="sign_in").latest("id").detail["way"] == "oidc"


def test_the_providers_own_counts_only_by_the_setting(
    travel: Use, provider: Provider, by_oidc: Use, settings: Any
) -> None:
    settings.SECOND_FACTOR_FOR = "everybody"
    provider.person["amr"] = ["pwd", "mfa"]
    client = Client()
    travel(client)
    assert client.get("/runs/")["Location"] == "/account/factor/"
    by_oidc(OIDC_SECOND_FACTOR_METHODS="otp mfa")
    client = Client()
    travel(client)
    assert client.get("/runs/").status_code == 200
    provider.person["amr"] = ["pwd"]
    client = Client()
    travel(client)
    assert client.get("/runs/")["Location"] == "/account/factor/"


TOKEN = {"name": "t", "role": "viewer", "days": "3"}


def test_an_override_needs_a_sign_in_of_now(travel: Use, provider: Provider) -> None:
    """The provider knew her from the morning: that is no proof that she sits there."""
    client = Client()
    travel(client)
    page = client.get("/account/").content.decode()
    assert "/sign-in/provider/?again=1&amp;next=%2Faccount%2F" in page
    asked = client.post("/account/tokens/", {**TOKEN, "password": "x"}).content.decode()
    assert "show once more who you are" in asked
    assert travel(client, "?again=1&next=/account/")["Location"] == "/account/"
    assert provider.asked[-1]["prompt"] == "login"
    assert provider.asked[-1]["max_age"] == "0"
    client.post("/account/tokens/", TOKEN)
    assert ApiToken.objects.get().name == "t"
    assert AuditEntry.objects.filter(action="confirmed").exists()


def test_a_provider_that_does_not_ask_again_confirms_nothing(
    travel: Use, provider: Provider
) -> None:
    client = Client()
    travel(client)
    for provider.asks_again, provider.tells_when in ((False, True), (True, False)):
        answer = travel(client, "?again=1")
        assert answer.status_code == 403
        assert "did not ask you who you are" in answer.content.decode()
    client.post("/account/tokens/", TOKEN)
    assert not ApiToken.objects.exists()


def test_nobody_else_confirms(travel: Use, provider: Provider) -> None:
    client = Client()
    travel(client)
    provider.person |= {"sub": "u-2", "preferred_username": "chief", "groups": ["chiefs"]}
    answer = travel(client, "?again=1")
    assert "not the person who is signed in here" in answer.content.decode()
    assert client.get("/account/").context["request"].user.username == "olga"
    client.post("/account/tokens/", TOKEN)
    assert not ApiToken.objects.exists()


def test_a_sign_in_of_a_moment_ago_is_fresh(travel: Use, provider: Provider) -> None:
    provider.signed_in_at = time.time() - 30
    client = Client()
    travel(client)
    client.post("/account/tokens/", TOKEN)
    assert ApiToken.objects.exists()


def test_the_first_second_factor_needs_it_as_well(travel: Use) -> None:
    """An open page must not be enough to set one up, and to be believed by it from then on."""
    client = Client()
    travel(client)
    client.get("/account/factor/")
    code = pyotp.TOTP(client.session["factor_secret"]).now()
    assert client.post("/account/factor/", {"code": code}).status_code == 422
    travel(client, "?again=1")
    assert "recovery codes" in client.post("/account/factor/", {"code": code}).content.decode()


def test_a_provider_that_is_down_or_silent(travel: Use, provider: Provider, by_oidc: Use) -> None:
    person("boss", "administrator", PASSWORD)
    client = Client()
    by_oidc(OIDC_ISSUER="https://127.0.0.1:1")
    refused(client.get("/sign-in/provider/"), "directory_away", client)
    by_oidc(OIDC_CLIENT_ID="another")  # nothing is remembered of it
    provider.late_s = 8
    began = time.monotonic()
    refused(client.get("/sign-in/provider/"), "directory_away", client)
    assert time.monotonic() - began < ANSWER_S + 4  # and what a busy machine adds
    client.post("/sign-in/", {"username": "boss", "password": PASSWORD})
    assert is_in(client)


def test_one_that_falls_silent_while_somebody_is_there(travel: Use, provider: Provider) -> None:
    client = Client()
    back = travel.returned(client.get("/sign-in/provider/")["Location"])  # type: ignore[attr-defined]
    provider.stop()
    refused(client.get(back), "directory_away", client)


@pytest.mark.parametrize(
    "told",
    [
        {"issuer": "https://127.0.0.1:1"},
        {"jwks_uri": "http://127.0.0.1/keys"},
        {"token_endpoint": "http://127.0.0.1/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": None},
    ],
)
def test_what_it_says_of_itself_is_checked(provider: Provider, told: dict[str, Any]) -> None:
    provider.metadata = told
    client = Client()
    assert refused(client.get("/sign-in/provider/"), "provider_wrong", client) in told


def test_a_certificate_that_is_not_trusted(travel: Use, by_oidc: Use, tmp_path: Any) -> None:
    by_oidc(OIDC_CA_FILE=str(Authority(tmp_path).file))
    client = Client()
    refused(client.get("/sign-in/provider/"), "directory_away", client)


def test_endpoints_may_be_given(travel: Use, provider: Provider, by_oidc: Use) -> None:
    provider.metadata = {"issuer": "not asked"}
    by_oidc(
        OIDC_AUTHORIZATION_ENDPOINT=f"{provider.issuer}/authorize",
        OIDC_TOKEN_ENDPOINT=f"{provider.issuer}/token",
        OIDC_JWKS_URI=f"{provider.issuer}/keys",
    )
    assert is_in_after(travel, Client())


def test_a_wrong_client_secret_is_a_sentence(travel: Use, by_oidc: Use) -> None:
    by_oidc(OIDC_CLIENT_SECRET="wrong")
    client = Client()
    refused(travel(client), "code_refused", client)
    assert "wrong" not in str(list(AuditEntry.objects.values_list("detail", flat=True)))


def test_without_settings_there_is_no_such_page(settings: Any) -> None:
    settings.OIDC = None
    assert Client().get("/sign-in/provider/").status_code == 404
    assert Client().get(BACK).status_code == 404
    assert "Sign in with" not in Client().get("/sign-in/").content.decode()


def test_a_cookie_is_good_for_minutes(travel: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    back = travel.returned(client.get("/sign-in/provider/")["Location"])  # type: ignore[attr-defined]
    later = time.time() + timedelta(minutes=11).total_seconds()
    monkeypatch.setattr("django.core.signing.time.time", lambda: later)
    assert client.get(back).status_code == 400
