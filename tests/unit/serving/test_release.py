"""release.json and blessing.json: what is written is read back, and what is broken is named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest

from schemas.errors import ReleaseError
from serving.blessing import Blessing, Failure
from serving.release import Provenance, Release


@pytest.fixture
def release(provenance: Callable[..., Provenance]) -> Release:
    return Release.of(
        provenance(),
        model="taxi",
        version=7,
        created=datetime(2026, 3, 1, 12, tzinfo=timezone.utc),
        files={"saved_model.pb": "0" * 64},
        key="1" * 64,
    )


def test_a_record_is_read_back(release: Release, tmp_path: Path) -> None:
    (tmp_path / "release.json").write_text(release.to_json())
    assert Release.load(tmp_path) == release


def test_the_time_is_utc_in_iso_format(release: Release) -> None:
    assert '"created": "2026-03-01T12:00:00Z"' in release.to_json()


def test_equal_records_are_equal_bytes(release: Release) -> None:
    assert release.to_json() == Release.model_validate_json(release.to_json()).to_json()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 1}', "\x00\x01"], ids=["empty", "cut", "list", "incomplete", "binary"]
)
def test_a_broken_record_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "release.json").write_text(text)
    with pytest.raises(ReleaseError, match=r"cannot be read.\n  Where: .*release\.json\n  Received: "):
        Release.load(tmp_path)


def test_a_missing_record_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="No such file"):
        Release.load(tmp_path)


def test_an_unknown_key_is_refused(release: Release, tmp_path: Path) -> None:
    (tmp_path / "release.json").write_text(release.to_json().replace('"model":', '"modell":'))
    with pytest.raises(ReleaseError, match="modell"):
        Release.load(tmp_path)


def test_the_origin_is_the_same_for_a_repeated_run(provenance: Callable[..., Provenance]) -> None:
    repeated = provenance(run_id="run-2", metrics={}, blessing=Blessing(blessed=True, forced="again"))
    assert repeated.origin == provenance().origin


def test_a_verdict_is_read_back(tmp_path: Path) -> None:
    failure = Failure(slice="Overall", metric="auc", value=None, bound="must be at least 0.9")
    blessing = Blessing(blessed=False, baseline="models/3", failures=(failure,), unchecked=("loss",))
    blessing.save(tmp_path / "blessing.json")
    assert Blessing.load(tmp_path / "blessing.json") == blessing


def test_a_broken_verdict_is_named(tmp_path: Path) -> None:
    (tmp_path / "blessing.json").write_text("{}")
    with pytest.raises(ReleaseError, match=r"blessing cannot be read.\n  Where: .*blessing\.json"):
        Blessing.load(tmp_path / "blessing.json")


def test_a_trained_model_is_the_released_one_also_with_warm_up_requests_added(release: Release) -> None:
    trained, warmup = dict(release.files), {"assets.extra/tf_serving_warmup_requests": "2" * 64}
    warm = release.model_copy(update={"files": trained | warmup})
    assert release.is_of(trained)
    assert warm.is_of(trained)
    assert warm.is_of(trained | warmup)
    assert not warm.is_of(trained | {"assets.extra/tf_serving_warmup_requests": "3" * 64})
    assert not release.is_of(trained | warmup)
    assert not warm.is_of({"saved_model.pb": "4" * 64})
    assert not warm.is_of(trained | {"assets/words": "5" * 64})


def test_what_is_wrong_with_a_record_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "release.json").write_text('{"files": {}')
    with pytest.raises(ReleaseError) as caught:
        Release.load(tmp_path)
    assert str(caught.value.received).startswith("Invalid JSON: ")
    assert "\n" not in str(caught.value.received)
