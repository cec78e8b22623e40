"""An LDAP server as a process of its own: ldaptor's, which shares no line with the panel's client.

    python ldap_server.py LDIF CERTIFICATE KEY

It prints two ports: one for ldaps, one for ldap with StartTLS. The LDIF is read at the start.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ldaptor.inmemory import fromLDIFFile
from ldaptor.interfaces import IConnectedLDAPEntry
from ldaptor.protocols import pureldap
from ldaptor.protocols.ldap.ldapserver import LDAPServer
from twisted.internet import reactor as started
from twisted.internet import ssl
from twisted.internet.protocol import ServerFactory
from twisted.python.components import registerAdapter

HOST = "127.0.0.1"
reactor: Any = started
NO_RIGHTS = 50


class Server(LDAPServer):
    """Reads only for whoever was let in, as a careful directory does."""

    def handle_LDAPSearchRequest(self, request: Any, controls: Any, reply: Any) -> Any:
        if self.boundUser is None:
            return pureldap.LDAPSearchResultDone(resultCode=NO_RIGHTS)
        return super().handle_LDAPSearchRequest(request, controls, reply)

    def handle_LDAPExtendedRequest(self, request: Any, controls: Any, reply: Any) -> Any:
        """ldaptor's own way to begin TLS sends its answer into it; a client waits for it before."""
        if request.requestName != pureldap.LDAPStartTLSRequest.oid:
            return super().handle_LDAPExtendedRequest(request, controls, reply)
        reply(pureldap.LDAPStartTLSResponse(resultCode=0))
        self.transport.startTLS(self.factory.tls)
        return None


class Factory(ServerFactory):
    protocol = Server

    def __init__(self, root: Any, tls: Any) -> None:
        self.root, self.tls = root, tls


def listen(root: Any, tls: Any) -> None:
    factory = Factory(root, tls)
    secure = reactor.listenSSL(0, factory, tls, interface=HOST)
    plain = reactor.listenTCP(0, factory, interface=HOST)
    print(secure.getHost().port, plain.getHost().port, flush=True)


def main(ldif: str, certificate: str, key: str) -> None:
    registerAdapter(lambda factory: factory.root, Factory, IConnectedLDAPEntry)
    tls = ssl.DefaultOpenSSLContextFactory(key, certificate)
    with Path(ldif).open("rb") as file:
        fromLDIFFile(file).addCallback(listen, tls)
    reactor.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
