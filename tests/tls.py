"""TLS in front of a server that has none, with certificates of an authority that exists for the tests alone."""

from __future__ import annotations

import datetime
import ipaddress
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HANDSHAKE = 0x16  # the first byte of whoever speaks TLS
DAY = datetime.timedelta(days=1)
SIGNS = x509.KeyUsage(
    digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
    key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
)  # fmt: skip


class Authority:
    """Signs one certificate, for 127.0.0.1. `certificates` is the file that whoever trusts it names."""

    def __init__(self, folder: Path) -> None:
        key, server = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        own = _certificate(
            "an authority of the tests", key, key, x509.BasicConstraints(ca=True, path_length=None), SIGNS
        )
        signed = _certificate("a server", server, key, x509.BasicConstraints(ca=False, path_length=None), address)
        self.certificates, chain = folder / "authority.pem", folder / "server.pem"
        self.certificates.write_bytes(own.public_bytes(serialization.Encoding.PEM))
        pem = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        chain.write_bytes(server.private_bytes(*pem) + signed.public_bytes(serialization.Encoding.PEM))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(chain)


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey, *about: x509.ExtensionType
) -> x509.Certificate:
    """With everything that a strict reader of RFC 5280 asks for, as Python 3.13 does."""
    now, issuer = datetime.datetime.now(datetime.UTC), "an authority of the tests"
    builder = x509.CertificateBuilder(_name(issuer), _name(name), key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - DAY).not_valid_after(now + DAY)
    identifiers = (
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
        x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()),
    )
    for each in (*identifiers, *about):
        builder = builder.add_extension(each, critical=isinstance(each, x509.BasicConstraints | x509.KeyUsage))
    return builder.sign(signer, hashes.SHA256())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Front:
    """Passes everything on to `port` of 127.0.0.1. Who speaks TLS to it is answered in TLS, who does not as before."""

    def __init__(self, port: int, authority: Authority) -> None:
        self._target, self._context = port, authority.context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.secured = 0  # connections in TLS so far

    def serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _connect(self, client: socket.socket) -> None:
        with suppress(OSError), client, socket.create_connection(("127.0.0.1", self._target)) as server:
            if client.recv(1, socket.MSG_PEEK)[:1] != bytes([HANDSHAKE]):
                _pump(client, server)
                return
            with self._context.wrap_socket(client, server_side=True) as secured:
                self.secured += 1
                _pump(secured, server)


def _pump(client: socket.socket, server: socket.socket) -> None:
    """Both directions in one thread, because OpenSSL lets only one at a time use a connection."""
    while True:
        waiting = isinstance(client, ssl.SSLSocket) and client.pending()
        for source in [client] if waiting else select.select([client, server], [], [])[0]:
            data = source.recv(65536)
            if not data:
                return
            (server if source is client else client).sendall(data)


@contextmanager
def front(port: int, authority: Authority) -> Iterator[Front]:
    """A front that runs in threads of its own."""
    standing = Front(port, authority)
    threading.Thread(target=standing.serve, daemon=True).start()
    try:
        yield standing
    finally:
        standing.close()
