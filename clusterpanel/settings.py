"""Wiring only. Every value that an operator may change comes from the environment."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import environ
from django.utils.translation import gettext_lazy as _

from clusterpanel.keys import read_or_create, refuse_weak
from clusterpanel.people.directory import configured

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

PANEL_HOME = Path(env.str("PANEL_HOME", default=str(BASE_DIR / ".panel"))).resolve()
PANEL_HOME.mkdir(mode=0o700, parents=True, exist_ok=True)
PANEL_NAME = env.str("PANEL_NAME", default="")  # shown to a second panel that meets our lock
# A folder of simulated clusters that stand for the servers; empty: real servers over SSH.
SIMULATED_NODES = env.str("SIMULATED_NODES", default="")

DEBUG = env.bool("DEBUG", default=False)
_FRESH = not (PANEL_HOME / "panel.sqlite3").exists()  # nothing needs an older key
SECRET_KEY, *SECRET_KEY_FALLBACKS = read_or_create(PANEL_HOME / "keys" / "secret_key", fresh=_FRESH)
# The first encrypts, all decrypt. From the environment, or else from a file (clusterpanel.fields).
FIELD_KEYS = env.list("PANEL_FIELD_KEYS", default=[])
FIELD_KEYS_FILE = PANEL_HOME / "keys" / "field_key"
if FIELD_KEYS:
    for _key in FIELD_KEYS:
        refuse_weak("PANEL_FIELD_KEYS", _key)
else:
    read_or_create(FIELD_KEYS_FILE, fernet=True, fresh=_FRESH)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "axes",
    "clusterpanel",
    "clusterpanel.people",
    "nodes",
    "operations",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "clusterpanel.middleware.ContentSecurityPolicy",
    "clusterpanel.static.CompressedStatic",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "clusterpanel.people.middleware.Signed",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "clusterpanel.urls"
ASGI_APPLICATION = "clusterpanel.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "clusterpanel.context.frame",
            ],
        },
    },
]

DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{PANEL_HOME}/panel.sqlite3")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # WAL lets pages read while a worker writes; IMMEDIATE turns a writers' race into a short wait.
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        # auto_vacuum is taken from here when the file is made: removed output frees the disk.
        "init_command": "PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL;"
        " PRAGMA synchronous=NORMAL;",
    }
    # A file, as in production: the tests have threads and processes that share it.
    DATABASES["default"]["TEST"] = {"NAME": str(PANEL_HOME / "test.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

_VALIDATION = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_VALIDATION}.UserAttributeSimilarityValidator"},
    {"NAME": "clusterpanel.people.passwords.Length"},
    {"NAME": f"{_VALIDATION}.CommonPasswordValidator"},
    {"NAME": f"{_VALIDATION}.NumericPasswordValidator"},
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "clusterpanel.people.directory.backend.LdapBackend",  # asks nobody without settings.LDAP
]
# Directories that people may come in by; None: not used (docs/admin.md has the variables).
LDAP = configured.ldap(env)
OIDC = configured.oidc(env)
# Days after the last sign-in of somebody who comes in by a directory in which his tokens open.
DIRECTORY_TOKEN_DAYS = env.float("DIRECTORY_TOKEN_DAYS", default=30.0)
# Guessing: so many wrong passwords or codes for one name from one address, then a pause.
AXES_FAILURE_LIMIT = env.int("SIGN_IN_ATTEMPTS", default=5)
AXES_COOLOFF_TIME = timedelta(minutes=env.float("SIGN_IN_PAUSE_MIN", default=15.0))
AXES_USERNAME_CALLABLE = "clusterpanel.people.guessing.counted_under"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True  # the audit has it
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
AXES_LOCKOUT_CALLABLE = "clusterpanel.people.views.sign_in.paused"
# Whose sign-in needs a second factor: "administrators", "everybody" or "nobody".
SECOND_FACTOR_FOR = env.str("SECOND_FACTOR_FOR", default="nobody")
# Hours after a sign-in until the next one, however busy the session is.
SESSION_HOURS = env.float("SESSION_HOURS", default=12.0)
# Minutes after the password was typed in which an override does not ask for it again.
PASSWORD_FRESH_MIN = env.float("PASSWORD_FRESH_MIN", default=10.0)
PASSWORD_RESET_TIMEOUT = 24 * 3600  # seconds that a link to set a password is good for
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"

SESSION_ENGINE = "clusterpanel.people.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
# Behind a proxy that speaks HTTPS (deploy/nginx.conf): cookies and pages over nothing else.
HTTPS_ONLY = env.bool("HTTPS_ONLY", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS_ONLY
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # asked on the machine itself
# Seconds for which a browser that was here refuses plain HTTP; hard to take back.
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000) if HTTPS_ONLY else 0
# Other names below the panel's are not ours to decide about, unless it is said.
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS_ONLY and env.bool("HSTS_SUBDOMAINS", default=False)
# With this beginning a browser takes them from this host alone, for all of it, over HTTPS.
_COOKIE = "__Host-" if HTTPS_ONLY else ""
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{_COOKIE}sessionid", f"{_COOKIE}csrftoken"
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
# Bytes of one request, and fields of one form. The largest thing that is ever sent is a private key.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
DATA_UPLOAD_MAX_NUMBER_FILES = 0  # no page takes a file

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ru", _("Russian"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", default="UTC")

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True

REDIS_URL = env.str("REDIS_URL", default=f"unix://{PANEL_HOME}/broker/broker.sock")

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False  # a late acknowledgement runs a long step twice
RUN_QUEUE = env.str("PANEL_QUEUE", default="clusterpanel")
BEAT_QUEUE = f"{RUN_QUEUE}-beat"
CELERY_TASK_DEFAULT_QUEUE = RUN_QUEUE
CELERY_TASK_ROUTES = {
    "operations.tasks.reconcile": {"queue": BEAT_QUEUE},
    "operations.tasks.tidy_journals": {"queue": BEAT_QUEUE},
    "operations.tasks.retry_fence*": {"queue": BEAT_QUEUE},
    "operations.tasks.deliver_*": {"queue": BEAT_QUEUE},
    "clusterpanel.people.tasks.*": {"queue": BEAT_QUEUE},
    "nodes.tasks.*": {"queue": BEAT_QUEUE},
}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# Seconds between two questions: to each server; to glusterd, one server at a time; for what waits
# for healing, which takes locks in the whole pool; for versions, databases and dpiui2's own page.
OBSERVE_EVERY_S = env.float("OBSERVE_EVERY_S", default=2.0)
GLUSTER_EVERY_S = env.float("GLUSTER_EVERY_S", default=10.0)
HEAL_EVERY_S = env.float("HEAL_EVERY_S", default=60.0)
SLOW_FACTS_EVERY_S = env.float("SLOW_FACTS_EVERY_S", default=60.0)
# History: how fine (seconds) and how long it is kept.
HISTORY_RAW_STEP_S = env.int("HISTORY_RAW_STEP_S", default=10)
HISTORY_RAW_H = env.float("HISTORY_RAW_H", default=1.0)
HISTORY_MINUTES_H = env.float("HISTORY_MINUTES_H", default=24.0)
HISTORY_DAYS = env.float("HISTORY_DAYS", default=31.0)

CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 30, "socket_connect_timeout": 5}
CELERY_BEAT_SCHEDULE = {
    "reconcile": {
        "task": "operations.tasks.reconcile",
        "schedule": 1.0,
        "options": {"expires": 2.0},
    },
    "observe": {
        "task": "nodes.tasks.observe_all",
        "schedule": OBSERVE_EVERY_S,
        "options": {"expires": OBSERVE_EVERY_S},
    },
    "retry-fences": {
        "task": "operations.tasks.retry_fences",
        "schedule": OBSERVE_EVERY_S,
        "options": {"expires": OBSERVE_EVERY_S},
    },
    "deliver-settings": {
        "task": "operations.tasks.deliver_settings",
        "schedule": OBSERVE_EVERY_S,
        "options": {"expires": OBSERVE_EVERY_S},
    },
    "observe-gluster": {
        "task": "nodes.tasks.observe_gluster_all",
        "schedule": GLUSTER_EVERY_S,
        "options": {"expires": GLUSTER_EVERY_S},
    },
    "thin-history": {
        "task": "nodes.tasks.thin_history",
        "schedule": 30.0,
        "options": {"expires": 30.0},
    },
    "forget-ended-sessions": {
        "task": "clusterpanel.people.tasks.forget_ended_sessions",
        "schedule": 600.0,
        "options": {"expires": 600.0},
    },
    "tidy-journals": {
        "task": "operations.tasks.tidy_journals",
        "schedule": 600.0,
        "options": {"expires": 600.0},
    },
}

# Seconds. A lease is renewed every third of its life; a dead worker's run is taken over after it.
RUN_LEASE_S = env.float("RUN_LEASE_S", default=6.0)
# Seconds that a run waits for a node that stopped answering, before it ends as interrupted.
NODE_PATIENCE_S = env.float("NODE_PATIENCE_S", default=600.0)
# Seconds that a server which restarts, starts or joins is waited for while nothing moves there.
STEP_PATIENCE_S = env.int("STEP_PATIENCE_S", default=1800)  # MariaDB's own unit waits 900 s
# Hours. An older backup does not open the gate before a step that overwrites.
BACKUP_MAX_AGE_H = env.float("BACKUP_MAX_AGE_H", default=24.0)
# Days after its end until the output of a run is removed; 0: never.
JOURNAL_KEEP_D = env.float("JOURNAL_KEEP_D", default=365.0)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "clusterpanel.plain.OneLine",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    # It prints a traceback for each refused connection; ours says the same in a sentence.
    "loggers": {
        "paramiko": {"level": "CRITICAL"},
        "axes": {"level": "WARNING"},
        "authlib": {"level": "WARNING"},  # at DEBUG it prints what proves who began a sign-in
    },
}
