"""What becomes of every field that a person can fill in. A new field fails the test until it stands
here, and one that reaches a server fails it until `senders` says how to try it.

PLAIN    reaches servers, and only words get by that mean the same to a shell quoted and unquoted.
ONE_OF   is looked up among what the panel knows already; what is not there is refused.
LITERAL  reaches servers as exactly one argument, whatever is in it.
COMMAND  is by design a command: only an administrator may set it, and it is shown before it runs.
SECRET   goes to the SSH library, never into a command.
BOOKS    stays in the panel's own books, or only chooses what a page shows.
"""

from __future__ import annotations

PLAIN, ONE_OF, LITERAL = "plain", "one of", "literal"
COMMAND, SECRET, BOOKS = "command", "secret", "books"
REACHING = (PLAIN, ONE_OF, LITERAL, COMMAND)

_BY_FATE = {
    PLAIN: """
        body:NewCluster.galera_peer_hosts body:NewCluster.cluster_fs_peer_hosts
        body:NewCluster.cluster_primary_host body:NewCluster.app_dir
        body:NewSettings.galera_peer_hosts body:NewSettings.cluster_fs_peer_hosts
        body:NewSettings.cluster_primary_host
        body:Access.username body:Access.port body:Adoption.host body:Adoption.app_dir
        form:AccessForm.ssh_username form:AccessForm.ssh_port
        form:AdoptForm.host form:AdoptForm.app_dir
        form:AdoptForm.ssh_username form:AdoptForm.ssh_port
        form:NodesForm.galera_peer_hosts form:NodesForm.cluster_fs_peer_hosts
        form:SettingsForm.galera_peer_hosts form:SettingsForm.cluster_fs_peer_hosts
        form:SettingsForm.cluster_primary_host
        page:nodes/views/settings_page.py:host
        page:clusterpanel/people/views/people.py:name
    """,
    ONE_OF: """
        address:host address:procedure
        body:Accepted.procedure body:Asked.procedure body:Read.host body:Take.host
        body:Trust.host body:Which.host body:Which.check
        page:nodes/views/adopt.py:host page:nodes/views/steps/access.py:host
        page:nodes/views/steps/checks.py:… page:operations/views/plan.py:…
        params:accept params:copy params:force params:kind params:node params:nodes
        params:primary params:service params:stages params:stop
    """,
    LITERAL: "body:Page.page_url page:nodes/views/settings_page.py:page_url params:path",
    COMMAND: """
        body:Apply.apply_command page:nodes/views/settings_page.py:apply_command
        body:Workers.stop body:Workers.start body:Workers.check
        page:operations/views/primary.py:…
    """,
    SECRET: """
        body:Access.private_key body:Access.password
        form:AccessForm.ssh_private_key form:AccessForm.ssh_password
        form:AdoptForm.ssh_private_key form:AdoptForm.ssh_password
    """,
    # What only holds other fields is here, too.
    BOOKS: """
        body:Peers.galera_peer_hosts body:Peers.cluster_fs_peer_hosts
        body:Peers.cluster_primary_host body:Peers.two_galera_acknowledged
        body:Accepted.params body:Asked.params body:Adoption.ssh body:NewCluster.ssh

        body:Accepted.plan_hash body:Accepted.confirmations
        body:NewCluster.name body:NewCluster.two_galera_acknowledged body:Adoption.name
        body:NewSettings.two_galera_acknowledged body:NewSettings.revision body:NewSettings.why
        body:NewSettings.accepted body:Revert.number body:Revert.revision body:Revert.accepted
        body:Take.finding body:Take.revision body:Take.accepted
        body:Trust.sha256 body:Trust.replace body:Trust.password

        form:NodesForm.name form:NodesForm.same_hosts form:NodesForm.based_on
        form:NodesForm.two_galera_acknowledged
        form:SettingsForm.name form:SettingsForm.same_hosts form:SettingsForm.based_on
        form:SettingsForm.two_galera_acknowledged form:SettingsForm.why form:AdoptForm.name

        address:cluster_id address:run_id address:step address:number address:user_id
        address:verb address:token_id address:uidb64 address:token address:session

        body:Access.make_key body:Use.sha256 body:Use.without body:Which.sha256
        page:nodes/views/ssh_key.py:action page:nodes/views/ssh_key.py:sha256
        page:nodes/views/ssh_key.py:told page:nodes/views/ssh_key.py:without
        page:nodes/views/adopt.py:then

        query:cluster_id query:run_id query:step query:after query:before query:cluster query:limit
        query:hosts query:kind query:metric query:points query:since

        page:clusterpanel/api.py:cluster
        page:clusterpanel/audit_page.py:before page:clusterpanel/audit_page.py:format
        page:clusterpanel/audit_page.py:verify page:clusterpanel/audit_page.py:…
        page:clusterpanel/people/views/account.py:code
        page:clusterpanel/people/views/account.py:password
        page:clusterpanel/people/views/account.py:…
        page:clusterpanel/people/views/people.py:password
        page:clusterpanel/people/views/people.py:role
        page:clusterpanel/people/guessing.py:username page:clusterpanel/people/views/oidc.py:again
        page:clusterpanel/people/views/oidc.py:next page:clusterpanel/people/views/oidc.py:…
        page:clusterpanel/people/views/people.py:also_here
        page:clusterpanel/people/views/sign_in.py:code page:clusterpanel/people/views/sign_in.py:next
        page:clusterpanel/people/views/sign_in.py:username

        page:nodes/views/adopt.py:action page:nodes/views/adopt.py:…
        page:nodes/views/dashboard.py:back page:nodes/views/dashboard.py:finding
        page:nodes/views/dashboard.py:note page:nodes/views/dashboard.py:range
        page:nodes/views/dashboard.py:take_back
        page:nodes/views/settings_confirm.py:accepted page:nodes/views/settings_confirm.py:based_on
        page:nodes/views/settings_confirm.py:finding page:nodes/views/settings_confirm.py:host
        page:nodes/views/settings_page.py:accepted page:nodes/views/settings_page.py:same_hosts
        page:nodes/views/settings_page.py:two_galera_acknowledged
        page:nodes/views/settings_page.py:…
        page:nodes/views/steps/access.py:compared page:nodes/views/steps/access.py:password
        page:nodes/views/steps/access.py:replace page:nodes/views/steps/access.py:scan
        page:nodes/views/steps/access.py:sha256 page:nodes/views/steps/access.py:then
        page:nodes/views/steps/access.py:typed page:nodes/views/steps/access.py:…
        page:nodes/views/steps/common.py:then page:nodes/views/steps/nodes.py:same_hosts
        page:nodes/views/steps/nodes.py:… page:nodes/views/wizard.py:was

        page:operations/stream.py:after page:operations/views/log.py:level
        page:operations/views/log.py:lines page:operations/views/log.py:q
        page:operations/views/log.py:step page:operations/views/log.py:…
        page:operations/views/pending.py:host page:operations/views/plan.py:plan_hash
        page:operations/views/primary.py:primary page:operations/views/recovery.py:accept
        page:operations/views/run.py:seen page:operations/views/run.py:step
        page:operations/views/runs.py:cluster page:operations/views/runs.py:page
    """,
}

FATES = {field: fate for fate, fields in _BY_FATE.items() for field in fields.split()}


def of(*fates: str) -> list[str]:
    return sorted(field for field, fate in FATES.items() if fate in fates)
