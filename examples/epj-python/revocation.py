"""Revocation lists: one second for a message, the download goes on in the background, the list is kept until nextUpdate."""

import threading
import urllib.request
from datetime import datetime, timezone

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID

LIMIT_SECONDS = 1.0


class StatusUnknown(Exception):
    """No list could be had in time."""


class Revoked(Exception):
    """The certificate is on its issuer's list."""


def _first_uri(points):
    return next(name.value for point in points for name in point.full_name or [])


def _fetch(url):
    with urllib.request.urlopen(url, timeout=60) as response:
        return response.read(32 * 1024 * 1024)


class Revocation:
    """Lists by address."""

    def __init__(self, root_pem):
        self._root = x509.load_pem_x509_certificate(root_pem)
        self._lists = {}
        self._issuers = {}
        self._open = {}
        self._lock = threading.Lock()

    def check(self, certificate):
        """Checks the certificate and its issuing CA; raises Revoked or StatusUnknown."""
        issuing = self._issuer(certificate)
        for subject, issuer in ((certificate, issuing), (issuing, self._root)):
            if self._list(subject, issuer).get_revoked_certificate_by_serial_number(subject.serial_number):
                raise Revoked(subject.subject.rfc4514_string())

    def _issuer(self, certificate):
        access = certificate.extensions.get_extension_for_oid(ExtensionOID.AUTHORITY_INFORMATION_ACCESS).value
        url = next(a.access_location.value for a in access if a.access_method == AuthorityInformationAccessOID.CA_ISSUERS)
        if url not in self._issuers:
            issuer = x509.load_der_x509_certificate(_fetch(url))
            issuer.verify_directly_issued_by(self._root)
            self._issuers[url] = issuer
        certificate.verify_directly_issued_by(self._issuers[url])
        return self._issuers[url]

    def _list(self, certificate, issuer):
        points = certificate.extensions.get_extension_for_oid(ExtensionOID.CRL_DISTRIBUTION_POINTS).value
        url = _first_uri(points)
        with self._lock:
            kept = self._lists.get(url)
            if kept and kept.next_update_utc > datetime.now(timezone.utc):
                return kept
            done = self._open.get(url)
            if done is None:
                done = self._open[url] = threading.Event()
                threading.Thread(target=self._download, args=(url, issuer, done), daemon=True).start()
        done.wait(LIMIT_SECONDS)
        with self._lock:
            kept = self._lists.get(url)
        if kept is None or kept.next_update_utc <= datetime.now(timezone.utc):
            raise StatusUnknown(url)
        return kept

    def _download(self, url, issuer, done):
        try:
            fetched = x509.load_der_x509_crl(_fetch(url))
            if fetched.is_signature_valid(issuer.public_key()):
                with self._lock:
                    self._lists[url] = fetched
        except Exception as error:  # whatever went wrong, the status stays unknown
            print(f"revocation list {url}: {error}", flush=True)
        finally:
            with self._lock:
                self._open.pop(url, None)
            done.set()
