from __future__ import annotations

import pytest

from components.anomaly_gate.allowlist import check_allowlist
from configs.settings import Allowed, Validation
from schemas.errors import SettingsError


def test_known_types_pass():
    check_allowlist(Validation(allow=(Allowed(feature="a", kinds=("SCHEMA_NEW_COLUMN",)), Allowed(feature="b"))))


@pytest.mark.parametrize("kind", ["SCHEMA_NEW_COLUM", "schema_new_column"])
def test_an_unknown_type_is_refused_with_the_nearest(kind):
    allow = (Allowed(feature="a"), Allowed(feature="b", kinds=(kind,)))
    with pytest.raises(SettingsError, match="Did you mean SCHEMA_NEW_COLUMN") as caught:
        check_allowlist(Validation(allow=allow))
    assert caught.value.where == "validation.allow[1].kinds (feature 'b')"
    assert caught.value.received == kind
