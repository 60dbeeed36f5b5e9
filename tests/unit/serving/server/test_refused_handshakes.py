"""What is told of clients that do not come through TLS."""

from __future__ import annotations

import logging
import ssl

import pytest

from serving.server.refused_handshakes import RefusedHandshakes


def _error(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, reason)
    error.reason = reason
    return error


def test_certificates_that_are_not_taken_for_another_cause_are_told_too(caplog: pytest.LogCaptureFixture) -> None:
    refused = RefusedHandshakes(lambda: 0.0)
    with caplog.at_level(logging.WARNING):
        for message in ("certificate has expired", "certificate has expired", "unable to get local issuer certificate"):
            error = ssl.SSLCertVerificationError(1, message)
            error.reason, error.verify_message = "CERTIFICATE_VERIFY_FAILED", message
            refused.tell("10.0.0.7", error)
    assert [record.getMessage().rpartition(", ")[2] for record in caplog.records] == [
        "certificate has expired.",
        "unable to get local issuer certificate.",
    ]
    assert refused.counts() == {"CERTIFICATE_VERIFY_FAILED": 3}


def test_one_of_each_kind_is_told_in_ten_seconds_and_all_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    refused = RefusedHandshakes(lambda: now[0])
    with caplog.at_level(logging.WARNING):
        for seconds in (0.0, 1.0, 9.9, 10.0):
            now[0] = seconds
            refused.tell("10.0.0.7", _error("PEER_DID_NOT_RETURN_A_CERTIFICATE"))
        refused.tell("10.0.0.8", _error("TLSV1_ALERT_UNKNOWN_CA"))
        refused.tell("10.0.0.9", _error("NO_SHARED_CIPHER"))
    assert [record.getMessage() for record in caplog.records] == [
        "REST: TLS with 10.0.0.7 failed: it shows no certificate.",
        "REST: TLS with 10.0.0.7 failed: it shows no certificate. (2 more like it since it was last told)",
        "REST: TLS with 10.0.0.8 failed: it does not go on with this server's certificate or TLS, alert unknown ca.",
        "REST: TLS with 10.0.0.9 failed: no shared cipher.",
    ]
    assert refused.counts() == {
        "PEER_DID_NOT_RETURN_A_CERTIFICATE": 4,
        "TLSV1_ALERT_UNKNOWN_CA": 1,
        "NO_SHARED_CIPHER": 1,
    }
