"""The release store: numbering, idempotence, retention, faults, several processes at once."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import re
import resource
import shutil
from collections.abc import Callable
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from schemas.errors import ReleaseError
from serving.blessing import Blessing
from serving.release import Provenance, Release
from serving.releases import ReleaseStore

MakeProvenance = Callable[..., Provenance]


@pytest.fixture
def store(tmp_path: Path) -> ReleaseStore:
    return ReleaseStore(tmp_path / "releases", "taxi")


def hidden(store: ReleaseStore) -> set[str]:
    return {path.name for path in store.directory.iterdir() if path.name.startswith(".")}


def test_the_first_version_is_1_and_holds_the_model(
    store: ReleaseStore, source: Path, provenance: MakeProvenance
) -> None:
    release = store.publish(source, provenance())
    directory = store.directory / "1"
    assert release.version == 1
    assert (directory / "variables/variables.index").read_bytes() == b"index"
    assert (directory / "assets").is_dir()


def test_the_record_names_every_file_with_its_checksum(
    store: ReleaseStore, source: Path, provenance: MakeProvenance
) -> None:
    release = store.publish(source, provenance())
    assert release.files == {
        "saved_model.pb": hashlib.sha256(b"graph").hexdigest(),
        "variables/variables.data-00000-of-00001": hashlib.sha256(b"weights").hexdigest(),
        "variables/variables.index": hashlib.sha256(b"index").hexdigest(),
    }


def test_the_record_is_beside_the_model(store: ReleaseStore, source: Path, provenance: MakeProvenance) -> None:
    release = store.publish(source, provenance())
    assert Release.load(store.directory / "1") == release
    assert (release.model, release.pipeline, release.run_id, release.spans) == ("taxi", "taxi", "run-1", (3,))
    assert release.created.utcoffset() is not None


def test_nothing_but_the_lock_is_left_beside_the_versions(
    store: ReleaseStore, source: Path, provenance: MakeProvenance
) -> None:
    store.publish(source, provenance())
    assert hidden(store) == {".lock"}


def test_files_do_not_keep_a_private_mode(store: ReleaseStore, source: Path, provenance: MakeProvenance) -> None:
    (source / "saved_model.pb").chmod(0o600)
    umask = os.umask(0o022)
    try:
        store.publish(source, provenance())
    finally:
        os.umask(umask)
    assert (store.directory / "1").stat().st_mode & 0o777 == 0o755
    assert (store.directory / "1/saved_model.pb").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("folders", "files", "expected"),
    [
        (("1", "2"), (), 3),
        (("7",), (), 8),
        (("007",), (), 8),
        (("2", "10"), (), 11),
        (("5", "notes", "1.bak", "-3", "9x", "٣"), (), 6),
        (("1",), ("8",), 2),
        (("1",), ("2", "3"), 4),
        (("99999999999999999999",), (), 1),
    ],
)
def test_the_next_version_is_one_more_than_the_highest(
    store: ReleaseStore,
    source: Path,
    provenance: MakeProvenance,
    folders: tuple[str, ...],
    files: tuple[str, ...],
    expected: int,
) -> None:
    for name in folders:
        (store.directory / name).mkdir(parents=True)
    for name in files:
        (store.directory / name).touch()
    assert store.publish(source, provenance()).version == expected


def test_no_version_after_the_last_number(store: ReleaseStore, source: Path, provenance: MakeProvenance) -> None:
    (store.directory / str(2**63 - 1)).mkdir(parents=True)
    with pytest.raises(ReleaseError, match="no version number left"):
        store.publish(source, provenance())


def test_a_model_is_not_released_twice(store: ReleaseStore, source: Path, provenance: MakeProvenance) -> None:
    first = store.publish(source, provenance())
    assert store.publish(source, provenance(run_id="run-2")) == first
    assert list(store.versions()) == [1]


def test_going_back_to_an_earlier_model_is_a_new_version_since_servers_serve_the_newest(
    store: ReleaseStore, source: Path, provenance: MakeProvenance
) -> None:
    for fingerprint, version in (("a", 1), ("b", 2), ("a", 3), ("a", 3)):
        assert store.publish(source, provenance(fingerprints={"data": fingerprint})).version == version


@pytest.mark.parametrize(
    "changes", [{"spans": (4,)}, {"fingerprints": {"data": "other"}}, {"schema_hash": "other"}, {"pipeline": "other"}]
)
def test_the_same_model_of_another_origin_is_another_version(
    store: ReleaseStore, source: Path, provenance: MakeProvenance, changes: dict[str, object]
) -> None:
    store.publish(source, provenance())
    assert store.publish(source, provenance(**changes)).version == 2


def test_another_model_of_the_same_origin_is_another_version(
    store: ReleaseStore, source: Path, provenance: MakeProvenance, make_model: Callable[..., Path], tmp_path: Path
) -> None:
    first = store.publish(source, provenance())
    second = store.publish(make_model(tmp_path / "other", weights=b"others"), provenance())
    assert second.version == 2
    assert second.model_digest != first.model_digest


def test_a_release_that_was_removed_is_released_again(
    store: ReleaseStore, source: Path, provenance: MakeProvenance
) -> None:
    store.publish(source, provenance())
    shutil.rmtree(store.directory / "1")
    assert store.publish(source, provenance()).version == 1


def test_what_dead_processes_left_is_cleaned(store: ReleaseStore, source: Path, provenance: MakeProvenance) -> None:
    for name in (".staging-dead", ".deleted-dead"):
        (store.directory / name / "variables").mkdir(parents=True)
    store.publish(source, provenance())
    assert hidden(store) == {".lock"}


def test_the_newest_is_the_highest_number_and_not_the_last_name(
    store: ReleaseStore, source: Path, provenance: MakeProvenance
) -> None:
    (store.directory / "9").mkdir(parents=True)
    store.publish(source, provenance())
    newest = store.newest()
    assert newest is not None
    assert newest.version == 10


def test_there_is_no_newest_in_an_empty_store(store: ReleaseStore) -> None:
    assert store.newest() is None


def test_an_unknown_version_names_the_known_ones(store: ReleaseStore, source: Path, provenance: MakeProvenance) -> None:
    store.publish(source, provenance())
    with pytest.raises(ReleaseError, match=r"Received: 4\n  Fix: Versions there: 1\."):
        store.get(4)


def test_a_copied_version_does_not_pass_for_a_release(
    store: ReleaseStore, source: Path, provenance: MakeProvenance
) -> None:
    store.publish(source, provenance())
    shutil.copytree(store.directory / "1", store.directory / "5")
    assert [release.version for release in store.releases()] == [1]


def test_a_folder_without_a_model_is_refused(store: ReleaseStore, tmp_path: Path, provenance: MakeProvenance) -> None:
    with pytest.raises(ReleaseError, match="no SavedModel to release"):
        store.publish(tmp_path, provenance())
    assert not store.directory.exists()


def test_releases_being_a_file_is_a_clear_error(tmp_path: Path, source: Path, provenance: MakeProvenance) -> None:
    (tmp_path / "releases").write_text("not a folder")
    with pytest.raises(ReleaseError, match=r"cannot be written.\n  Where: .*releases"):
        ReleaseStore(tmp_path / "releases", "taxi").publish(source, provenance())


def test_the_model_folder_being_a_file_is_a_clear_error(
    tmp_path: Path, source: Path, provenance: MakeProvenance
) -> None:
    (tmp_path / "releases").mkdir()
    (tmp_path / "releases/taxi").write_text("not a folder")
    with pytest.raises(ReleaseError, match="cannot be written"):
        ReleaseStore(tmp_path / "releases", "taxi").publish(source, provenance())


def test_a_full_disk_leaves_nothing(
    store: ReleaseStore, tmp_path: Path, provenance: MakeProvenance, make_model: Callable[..., Path]
) -> None:
    source = make_model(tmp_path / "large", weights=b"x" * 100_000)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The kernel refuses the 50,001st byte of a file as it refuses the first one on a full disk.
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        with pytest.raises(ReleaseError, match=r"cannot be written.*\n.*\n  Received: File too large"):
            store.publish(source, provenance())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert store.versions() == {}
    assert hidden(store) == {".lock"}


def test_a_model_that_changes_while_it_is_copied_is_refused(
    store: ReleaseStore, source: Path, provenance: MakeProvenance, monkeypatch: pytest.MonkeyPatch
) -> None:
    from serving import saved_model

    before = saved_model.checksums

    def then_change(directory: Path) -> dict[str, str]:
        found = before(directory)
        (directory / "variables/variables.index").write_bytes(b"changed")
        return found

    monkeypatch.setattr(saved_model, "checksums", then_change)
    with pytest.raises(ReleaseError, match="changed while it was copied"):
        store.publish(source, provenance())
    assert hidden(store) == {".lock"}


def publish_one(root: Path, source: Path, origin: Provenance, start: object) -> None:
    start.wait()  # type: ignore[attr-defined]
    ReleaseStore(root, "taxi").publish(source, origin)


def in_processes(root: Path, source: Path, origins: list[Provenance]) -> list[int]:
    context = multiprocessing.get_context("fork")
    start = context.Barrier(len(origins))
    processes = [context.Process(target=publish_one, args=(root, source, origin, start)) for origin in origins]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * len(origins)
    return list(ReleaseStore(root, "taxi").versions())


@pytest.mark.slow
def test_eight_processes_at_once_give_eight_versions_without_a_gap(
    store: ReleaseStore, source: Path, provenance: MakeProvenance
) -> None:
    origins = [provenance(spans=(span,)) for span in range(8)]
    assert in_processes(store.directory.parent, source, origins) == list(range(1, 9))
    assert sorted(release.spans for release in store.releases()) == [(span,) for span in range(8)]


def test_eight_processes_with_the_same_model_give_one_version(
    store: ReleaseStore, source: Path, provenance: MakeProvenance
) -> None:
    assert in_processes(store.directory.parent, source, [provenance()] * 8) == [1]


BLESSED, FORCED, REFUSED = Blessing(blessed=True), Blessing(blessed=True, forced="why"), Blessing(blessed=False)


def filled(store: ReleaseStore, source: Path, make: MakeProvenance, blessings: list[Blessing]) -> None:
    for span, blessing in enumerate(blessings):
        store.publish(source, make(spans=(span,), blessing=blessing))


def test_the_newest_versions_are_kept(store: ReleaseStore, source: Path, provenance: MakeProvenance) -> None:
    filled(store, source, provenance, [BLESSED] * 5)
    assert store.retain(2) == (1, 2, 3)
    assert list(store.versions()) == [4, 5]


def test_nothing_is_deleted_where_there_are_fewer(
    store: ReleaseStore, source: Path, provenance: MakeProvenance
) -> None:
    filled(store, source, provenance, [BLESSED] * 2)
    assert store.retain(5) == ()


def test_protected_versions_are_kept(store: ReleaseStore, source: Path, provenance: MakeProvenance) -> None:
    filled(store, source, provenance, [BLESSED] * 4)
    assert store.retain(1, protected=[2]) == (1, 3)


def test_versions_that_were_not_made_here_are_kept(
    store: ReleaseStore, source: Path, provenance: MakeProvenance
) -> None:
    (store.directory / "1").mkdir(parents=True)
    filled(store, source, provenance, [BLESSED] * 2)
    store.retain(1)
    assert list(store.versions()) == [1, 3]


def test_numbers_go_on_after_a_deletion(store: ReleaseStore, source: Path, provenance: MakeProvenance) -> None:
    filled(store, source, provenance, [BLESSED] * 3)
    store.retain(1)
    assert store.publish(source, provenance(spans=(9,))).version == 4


def test_deleted_versions_leave_nothing(store: ReleaseStore, source: Path, provenance: MakeProvenance) -> None:
    filled(store, source, provenance, [BLESSED] * 3)
    store.retain(1)
    assert hidden(store) == {".lock"}


def test_retention_in_an_absent_store_does_nothing(store: ReleaseStore) -> None:
    assert store.retain(1) == ()
    assert not store.directory.exists()


@pytest.mark.slow
@settings(max_examples=30)
@given(
    blessings=st.lists(st.sampled_from([BLESSED, FORCED, REFUSED]), min_size=1, max_size=8),
    keep=st.integers(1, 4),
    data=st.data(),
)
def test_retention_keeps_what_it_must_and_no_more(
    tmp_path_factory: pytest.TempPathFactory, blessings: list[Blessing], keep: int, data: st.DataObject
) -> None:
    from tests.unit.serving.conftest import make_provenance, make_source

    folder = tmp_path_factory.mktemp("retention")
    store, source = ReleaseStore(folder / "releases", "taxi"), make_source(folder / "model")
    filled(store, source, make_provenance, blessings)
    protected = data.draw(st.sets(st.integers(1, len(blessings)), max_size=2))
    store.retain(keep, protected=protected)

    numbers = range(1, len(blessings) + 1)
    must = set(numbers[-keep:]) | protected
    must |= {max((n for n in numbers if blessings[n - 1].blessed), default=0)}
    must |= {max((n for n in numbers if blessings[n - 1] == BLESSED), default=0)}
    assert set(store.versions()) == must - {0}


def test_versions_have_only_numbers_for_names(store: ReleaseStore, source: Path, provenance: MakeProvenance) -> None:
    filled(store, source, provenance, [BLESSED] * 2)
    assert all(re.fullmatch(r"[0-9]+|\..*", path.name) for path in store.directory.iterdir())
