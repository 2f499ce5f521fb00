"""The address register: the certificates that it gives for a party (SOAP, Basic binding)."""

import base64
import ssl
import urllib.request
import xml.etree.ElementTree as ElementTree

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

NAMESPACE = "http://register.nhn.no/CommunicationParty"


class Register:
    """A client with the account of the environment document."""

    def __init__(self, environment):
        account = environment["address_register"]
        token = base64.b64encode(f"{account['username']}:{account['password']}".encode()).decode()
        self._url = account["url"]
        self._headers = {"Authorization": f"Basic {token}", "Content-Type": "text/xml; charset=utf-8"}
        self._tls = ssl.create_default_context(cafile=environment["trust"]["bundle"])

    def certificate(self, her_id, use):
        """`use` is `Encryption` or `ValidatingSignature`; returns an x509 certificate."""
        operation = f"GetCertificateDetailsFor{use}"
        envelope = (
            '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
            f'<{operation} xmlns="{NAMESPACE}"><herId>{int(her_id)}</herId></{operation}></s:Body></s:Envelope>'
        )
        headers = {**self._headers, "SOAPAction": f'"{NAMESPACE}/ICommunicationPartyService/{operation}"'}
        request = urllib.request.Request(self._url, envelope.encode(), headers)
        with urllib.request.urlopen(request, timeout=5, context=self._tls) as response:
            answer = ElementTree.fromstring(response.read(1024 * 1024))
        for element in answer.iter():
            if element.tag.endswith("}Certificate") and element.text:
                return x509.load_der_x509_certificate(base64.b64decode(element.text))
        raise LookupError(f"the register has no certificate for HER-id {her_id}")


def pem(certificate):
    """The certificate as PEM bytes."""
    return certificate.public_bytes(Encoding.PEM)
