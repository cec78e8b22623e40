from django.urls import URLPattern, path

from nodes.views import (
    adopt,
    dashboard,
    home,
    node,
    overview,
    settings_confirm,
    settings_page,
    ssh_key,
    stream,
    wizard,
)
from nodes.views.steps import access, checks

_CLUSTER = "clusters/<int:cluster_id>/"

urlpatterns: list[URLPattern] = [
    path("", home.home, name="home"),
    path("clusters/", overview.overview, name="overview"),
    path("clusters/new/", wizard.new, name="cluster-new"),
    path("clusters/adopt/", adopt.new, name="adopt-new"),
    path(f"{_CLUSTER}adopt/", adopt.adopt, name="adopt"),
    path("clusters/new/look/", settings_page.look, name="look-new"),
    path(_CLUSTER, dashboard.dashboard, name="dashboard"),
    path(f"{_CLUSTER}history/", dashboard.history, name="history"),
    path(f"{_CLUSTER}events", stream.events, name="dashboard-events"),
    path(f"{_CLUSTER}nodes/<str:host>/", node.node, name="node"),
    path(f"{_CLUSTER}nodes/<str:host>/menu/", node.menu, name="node-menu"),
    path(f"{_CLUSTER}nodes/<str:host>/raw/", node.raw, name="node-raw"),
    path(f"{_CLUSTER}acknowledge/", dashboard.acknowledge, name="acknowledge"),
    path(f"{_CLUSTER}strip/", dashboard.strip, name="strip"),
    path(f"{_CLUSTER}observe/", dashboard.observe, name="observe"),
    path(f"{_CLUSTER}settings/", settings_page.settings, name="settings"),
    path(f"{_CLUSTER}settings/look/", settings_page.look, name="look"),
    path(f"{_CLUSTER}settings/difference/", settings_page.difference, name="difference"),
    path(f"{_CLUSTER}settings/take/", settings_confirm.take, name="settings-take"),
    path(
        f"{_CLUSTER}settings/revert/<int:number>/", settings_confirm.revert, name="settings-revert"
    ),
    path(f"{_CLUSTER}settings/apply-command/", settings_page.apply_command, name="apply-command"),
    path(f"{_CLUSTER}settings/page-url/", settings_page.page_url, name="page-url"),
    path(f"{_CLUSTER}install/", wizard.install, name="install"),
    path(f"{_CLUSTER}install/access/keys/", access.keys, name="host-keys"),
    path(f"{_CLUSTER}install/access/trust/", access.trust, name="host-key-trust"),
    path(f"{_CLUSTER}install/access/ssh-key/", ssh_key.ssh_key, name="ssh-key"),
    path(f"{_CLUSTER}install/checks/run/", checks.run, name="checks-run"),
    path(f"{_CLUSTER}install/<str:step>/", wizard.wizard, name="wizard"),
    path(f"{_CLUSTER}install/<str:step>/stepper/", wizard.stepper, name="stepper"),
]
