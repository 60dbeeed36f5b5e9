"""From when until when certificates are valid, as they say themselves.

Source: RFC 5280, 4.1: Certificate, TBSCertificate, Validity. Python's TLS tells it only of a peer that it trusts.
"""

from __future__ import annotations

import contextlib
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from serving.pem import Pem

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_VERSION, _UTC_TIME = 0xA0, 0x17
_MOST_NOTICE = timedelta(days=14)
_NOTICE_PART = 6  # of its life: cert-manager and others renew when a third of it is left


@dataclass(frozen=True)
class CertificateDates:
    """Of one certificate.

    Attributes:
        begin: it is valid from then on.
        end: it is valid until then.
    """

    begin: datetime
    end: datetime

    @classmethod
    def all_of(cls, pem: Pem) -> list[CertificateDates]:
        """Of each certificate in a text that TLS can read, in their order; those of an odd form are left out."""
        found = []
        for match in _PEM.finditer(pem.content):
            with contextlib.suppress(ValueError, IndexError):
                found.append(cls._of(ssl.PEM_cert_to_DER_cert(match.group().decode("ascii"))))
        return found

    @classmethod
    def _of(cls, certificate: bytes) -> CertificateDates:
        (_, outer), *_ = _values(certificate)
        (_, inner), *_ = _values(outer)
        fields = list(_values(inner))
        # Behind the serial number, the algorithm and the issuer; the version may be left out.
        validity = fields[4 if fields[0][0] == _VERSION else 3][1]
        begin, end = (_time(kind, text.decode()) for kind, text in _values(validity))
        return cls(begin, end)

    def fault(self, now: datetime) -> str:
        """What there is to say of it at a time; empty: nothing.

        >>> utc = timezone.utc
        >>> dates = CertificateDates(datetime(2026, 1, 1, tzinfo=utc), datetime(2026, 3, 31, tzinfo=utc))
        >>> [dates.fault(datetime(2026, month, 20, tzinfo=utc)) for month in (2, 3, 4)]
        ['', 'ends in 11 days, on 2026-03-31 00:00 UTC', 'has ended, on 2026-03-31 00:00 UTC']
        """
        if now < self.begin:
            return f"begins only on {_text(self.begin)}; is this machine's clock right?"
        if now >= self.end:
            return f"has ended, on {_text(self.end)}"
        left = self.end - now
        if left > min(_MOST_NOTICE, (self.end - self.begin) / _NOTICE_PART):
            return ""
        span = f"{left.days} days" if left >= timedelta(days=2) else f"{left // timedelta(hours=1)} hours"
        return f"ends in {span}, on {_text(self.end)}"


def _text(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC"


def _values(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each DER value, one behind the other. Source: ITU-T X.690, 8.1."""
    place = 0
    while place < len(content):
        tag, size = content[place], content[place + 1]
        place += 2
        if size & 0x80:
            digits = size & 0x7F
            size = int.from_bytes(content[place : place + digits], "big")
            place += digits
        yield tag, content[place : place + size]
        place += size


def _time(kind: int, text: str) -> datetime:
    """UTCTime has two digits for the year, of 1950 to 2049; GeneralizedTime four."""
    if kind == _UTC_TIME:
        text = f"{19 if text >= '5' else 20}{text}"
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc)
