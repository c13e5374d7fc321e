"""`msgtrace certificates`: an authority of one's own, certificates of it, and a token. For tests and staging."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import re
import secrets
from pathlib import Path
from typing import Final

import click
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY: Final = "ca"
TOKEN: Final = "token"  # noqa: S105 - a file's name
_NAME: Final = re.compile(r"[A-Za-z0-9*][A-Za-z0-9._:-]{0,62}\Z")


def make(folder: Path, names: tuple[str, ...], days: int) -> list[Path]:
    """Make what is missing in a folder.

    Args:
        folder: gets `ca.pem`, `ca.key`, `token`, and `NAME.pem` and `NAME.key` for each name.
        names: host names or addresses, which are also who a forwarder is.
        days: until the certificates end.

    Returns:
        The files that were made.

    Raises:
        OSError: the folder can't be used.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made: list[Path] = []
    certificate_file, key_file = folder / f"{AUTHORITY}.pem", folder / f"{AUTHORITY}.key"
    if certificate_file.exists():
        authority = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        signer = serialization.load_pem_private_key(key_file.read_bytes(), None)
        if not isinstance(signer, ec.EllipticCurvePrivateKey):
            raise OSError(0, "not a key that this command made", str(key_file))
    else:
        signer = ec.generate_private_key(ec.SECP256R1())
        authority = _certificate("msgtrace authority", signer.public_key(), None, signer, days)
        made += _write(certificate_file, _pem(authority)), _write(key_file, _private(signer))
    for name in names:
        if not (folder / f"{name}.pem").exists():
            key = ec.generate_private_key(ec.SECP256R1())
            certificate = _certificate(name, key.public_key(), authority, signer, days)
            made.append(_write(folder / f"{name}.pem", _pem(certificate)))
            made.append(_write(folder / f"{name}.key", _private(key)))
    if not (folder / TOKEN).exists():
        made.append(_write(folder / TOKEN, f"{secrets.token_urlsafe(32)}\n".encode()))
    return made


def _certificate(
    name: str,
    key: ec.EllipticCurvePublicKey,
    authority: x509.Certificate | None,
    signer: ec.EllipticCurvePrivateKey,
    days: int,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    is_authority = authority is None
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=is_authority, crl_sign=is_authority, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if authority is None else authority.subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        # Clocks of test machines differ.
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=0 if is_authority else None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if not is_authority:
        both = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
        builder = builder.add_extension(both, critical=False)
        builder = builder.add_extension(x509.SubjectAlternativeName([_general(name)]), critical=False)
    return builder.sign(signer, hashes.SHA256())


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def _write(path: Path, content: bytes) -> Path:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, content)
    finally:
        os.close(file)
    return path


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.argument("names", nargs=-1, required=True)
@click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True, help="Until they end.")
def certificates(folder: Path, names: tuple[str, ...], days: int) -> None:
    """Make an authority, a token, and a certificate for each of NAMES in FOLDER, where they are missing.

    A name is a host's name or address; the central's must be the one that forwarders connect to. Give each machine the
    files ca.pem, token, and its own two; ca.key stays with you.
    """
    for name in names:
        if not _NAME.match(name) or name == AUTHORITY:
            raise click.ClickException(f"{name!r} is no host name or address that a certificate can have here")
    try:
        made = make(folder, names, days)
    except (OSError, ValueError) as error:
        where = getattr(error, "filename", None) or folder
        raise click.ClickException(f"{where}: {getattr(error, 'strerror', None) or error}") from None
    for path in made:
        click.echo(path)
    if not made:
        click.echo("nothing was missing")
