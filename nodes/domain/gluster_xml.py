"""What gluster's command line writes as XML, on a server that may have been taken over."""

from __future__ import annotations

from xml.etree import ElementTree


def document(text: str) -> ElementTree.Element:
    """Raises ParseError for what is no XML, and for a document type: gluster writes none, and with
    one a few bytes could become gigabytes. Text and not bytes: the check reads what the parser reads."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ElementTree.ParseError("gluster writes no document type")
    return ElementTree.fromstring(text)
