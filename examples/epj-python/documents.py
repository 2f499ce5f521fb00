"""The XML of a communication test: MsgHead 1.2 around a Dialogmelding 1.1."""

import uuid
import xml.etree.ElementTree as ElementTree
from datetime import datetime, timezone
from xml.sax.saxutils import escape

HEAD = "{http://www.kith.no/xmlstds/msghead/2006-05-24}"
FUNCTION = "DIALOG_INNBYGGER_TEST"

QUESTION = '<Foresporsel><TypeForesp V="KT" DN="Kommunikasjonstest" S="2.16.578.1.12.4.1.1.7603"/></Foresporsel>'
ANSWER = (
    '<Notat><TemaKodet V="KT" DN="Kommunikasjonstest" S="2.16.578.1.12.4.1.1.7603"/>'
    "<TekstNotatInnhold>Kommunikasjonstest OK</TekstNotatInnhold></Notat>"
)


def _ident(her_id):
    return f'<Ident><Id>{her_id}</Id><TypeId V="HER" DN="HER-id" S="2.16.578.1.12.4.1.1.9051"/></Ident>'


def _party(tag, party):
    return (
        f"<{tag}><Organisation><OrganisationName>{escape(party['organization_name'])}</OrganisationName>"
        f"{_ident(party['organization_her_id'])}<Organisation><OrganisationName>{escape(party['name'])}</OrganisationName>"
        f"{_ident(party['her_id'])}</Organisation></Organisation></{tag}>"
    )


def write(body, sender, receiver, parent=None):
    """Returns (MsgId, document as bytes). `parent` is the MsgId of the message that is answered."""
    msg_id = str(uuid.uuid4())
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S+00:00")
    reference = ""
    if parent:
        reference = (
            f"<ConversationRef><RefToParent>{escape(parent)}</RefToParent>"
            f"<RefToConversation>{escape(parent)}</RefToConversation></ConversationRef>"
        )
    document = (
        '<MsgHead xmlns="http://www.kith.no/xmlstds/msghead/2006-05-24"><MsgInfo>'
        f'<Type V="{FUNCTION}" DN="Dialog med innbygger - test"/><MIGversion>v1.2 2006-05-24</MIGversion>'
        f'<GenDate>{now}</GenDate><MsgId>{msg_id}</MsgId><Ack V="N" DN="Nei"/>{reference}'
        f"{_party('Sender', sender)}{_party('Receiver', receiver)}</MsgInfo>"
        '<Document><RefDoc><MsgType V="XML" DN="XML-instans"/><Content>'
        f'<Dialogmelding xmlns="http://www.kith.no/xmlstds/dialog/2013-01-23">{body}</Dialogmelding>'
        "</Content></RefDoc></Document></MsgHead>"
    )
    return msg_id, document.encode()


class Unreadable(Exception):
    """The document is not what it should be."""


def read(document):
    """Returns the facts of a message that the header is compared with."""
    if b"<!DOCTYPE" in document:
        raise Unreadable("a document type declaration is not allowed")
    try:
        root = ElementTree.fromstring(document)
    except ElementTree.ParseError as error:
        raise Unreadable(str(error)) from error
    if root.tag != f"{HEAD}MsgHead":
        raise Unreadable(f"the root element is {root.tag}")

    def her_id(role):
        path = f"{HEAD}MsgInfo/{HEAD}{role}/{HEAD}Organisation/{HEAD}Organisation/{HEAD}Ident"
        for ident in root.iterfind(path):
            if ident.find(f"{HEAD}TypeId").get("V") == "HER":
                return ident.findtext(f"{HEAD}Id")
        return None

    return {
        "function": root.find(f"{HEAD}MsgInfo/{HEAD}Type").get("V"),
        "msg_id": root.findtext(f"{HEAD}MsgInfo/{HEAD}MsgId"),
        "sender": her_id("Sender"),
        "receiver": her_id("Receiver"),
    }
