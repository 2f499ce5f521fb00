"""Sign then encrypt, and back, with the `openssl` command line (no signed attributes, AES-256-CBC)."""

import pathlib
import subprocess
import tempfile


class ProtectionError(Exception):
    """The message cannot be opened, or its signature is not the expected one."""


def _openssl(arguments, data):
    result = subprocess.run(["openssl", "cms", *arguments], input=data, capture_output=True, timeout=20, check=False)
    if result.returncode != 0:
        raise ProtectionError(result.stderr.decode(errors="replace").strip().splitlines()[0])
    return result.stdout


def _pem_file(folder, name, certificate):
    path = pathlib.Path(folder, name)
    path.write_bytes(certificate)
    return str(path)


def protect(document, signing, recipient_pem):
    """Signs with our store and encrypts to the recipient's certificate (PEM)."""
    signed = _openssl(
        ["-sign", "-binary", "-nodetach", "-noattr", "-outform", "DER", "-md", "sha256",
         "-signer", signing["certificate_pem"], "-inkey", signing["key_pem"]],
        document,
    )
    with tempfile.TemporaryDirectory() as folder:
        recipient = _pem_file(folder, "recipient.pem", recipient_pem)
        return _openssl(["-encrypt", "-binary", "-aes256", "-outform", "DER", recipient], signed)


def decrypt(message, encryption):
    """Opens the envelope with our store."""
    return _openssl(
        ["-decrypt", "-binary", "-inform", "DER",
         "-recip", encryption["certificate_pem"], "-inkey", encryption["key_pem"]],
        message,
    )


def verify(signed, signer_pem):
    """Verifies with the certificate that the register gives for the sender, and with no other."""
    with tempfile.TemporaryDirectory() as folder:
        signer = _pem_file(folder, "signer.pem", signer_pem)
        arguments = ["-verify", "-binary", "-inform", "DER", "-noverify", "-nointern", "-certfile", signer]
        return _openssl(arguments, signed)
