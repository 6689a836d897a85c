"""Transport security of the TCP doors, from files."""

from __future__ import annotations

import ssl

from ringfence.desk.config.environment import Tls
from ringfence.desk.config.errors import CantStartError


def tls_context(files: Tls | None) -> ssl.SSLContext | None:
    """What the doors speak TLS with; None where no certificate is set.

    Raises:
        CantStartError: a file can't be read or used; says which setting names it.
    """
    if files is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(files.certificate, files.key)
    except (OSError, ssl.SSLError) as error:
        raise CantStartError(
            f"RINGFENCE_TCP_TLS_CERT and RINGFENCE_TCP_TLS_KEY can't be used ({_why(error)}): "
            "name a PEM certificate and its key, readable by this user"
        ) from None
    if files.client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        try:
            context.load_verify_locations(files.client_ca)
        except (OSError, ssl.SSLError) as error:
            raise CantStartError(
                f"RINGFENCE_TCP_TLS_CLIENT_CA can't be used ({_why(error)}): name a PEM file with "
                "the certificates that devices' ones are signed by"
            ) from None
    return context


def _why(error: OSError) -> str:
    return str(getattr(error, "reason", None) or error.strerror or type(error).__name__)
