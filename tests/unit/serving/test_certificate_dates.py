"""From when until when certificates are valid."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta, timezone

from serving.certificate_dates import CertificateDates
from serving.pem import Pem
from tests.certificates import Authority

DAY = timedelta(days=1)


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    return bytes([tag, size] if size < 128 else [tag, 0x81, size]) + content


def test_what_a_certificate_says_without_a_version_and_of_both_forms_of_time() -> None:
    validity = _der(0x30, _der(0x17, b"500102030405Z"), _der(0x18, b"20600102030405Z"))
    unsigned = _der(0x30, _der(2, b"\x01"), _der(0x30), _der(0x30, bytes(130)), validity)
    text = base64.encodebytes(_der(0x30, unsigned, _der(0x30), _der(3))).decode()
    pem = Pem("", f"subject=here\n-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n".encode())
    (dates,) = CertificateDates.all_of(pem)
    utc = timezone.utc
    assert dates == CertificateDates(
        datetime(1950, 1, 2, 3, 4, 5, tzinfo=utc), datetime(2060, 1, 2, 3, 4, 5, tzinfo=utc)
    )


def test_each_certificate_of_a_chain() -> None:
    now = datetime.now(timezone.utc).replace(microsecond=0)
    pem = Pem("", Authority("root").sign("server", days=(-1, 365)).certificate.encode())
    leaf, issuer = CertificateDates.all_of(pem)
    assert abs(leaf.begin - (now - DAY)) < timedelta(minutes=5)
    assert leaf.end - leaf.begin == 366 * DAY
    assert issuer.end - issuer.begin == 4 * DAY


def test_notice_is_given_fourteen_days_before_or_for_the_last_sixth_of_a_short_life() -> None:
    begin = datetime(2026, 1, 1, tzinfo=timezone.utc)
    year, week = CertificateDates(begin, begin + 365 * DAY), CertificateDates(begin, begin + 6 * DAY)
    assert year.fault(begin + 350 * DAY) == ""
    assert year.fault(begin + 351 * DAY) == "ends in 14 days, on 2027-01-01 00:00 UTC"
    assert week.fault(begin + 4.9 * DAY) == ""
    assert week.fault(begin + 5 * DAY) == "ends in 24 hours, on 2026-01-07 00:00 UTC"
    assert week.fault(begin + 6 * DAY) == "has ended, on 2026-01-07 00:00 UTC"
    assert week.fault(begin - DAY) == "begins only on 2026-01-01 00:00 UTC; is this machine's clock right?"
