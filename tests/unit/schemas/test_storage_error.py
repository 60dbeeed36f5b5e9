from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
import tensorflow as tf

from schemas.errors import RunError
from schemas.storage_error import storage_error


def told(error: BaseException, *folders: Path) -> RunError:
    found = storage_error(error, *folders)
    assert found is not None
    return found


def test_a_full_disk_with_its_path_and_its_space(tmp_path: Path) -> None:
    path = tmp_path / "not yet/there/file"
    error = told(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)))
    assert (error.what, error.where) == ("The disk is full.", str(path))
    assert "[Errno 28] No space left on device" in str(error.received)
    assert "; the disk at /" in str(error.received)
    assert "output_dir" in error.fix
    assert "run again" in error.fix


@pytest.mark.parametrize(
    ("number", "what"),
    [
        (errno.EDQUOT, "The disk quota is used up."),
        (errno.EROFS, "The disk is read-only."),
        (errno.EACCES, "A file or folder that the run needs may not be used."),
        (errno.EIO, "The disk cannot be read or written."),
    ],
)
def test_other_refusals(number: int, what: str) -> None:
    assert told(OSError(number, os.strerror(number), "/some/file")).what == what


@pytest.mark.parametrize(
    ("error", "what", "where"),
    [
        # As seen: Beam keeps the text of an OSError alone, TensorFlow's writers put the path before it.
        (RuntimeError("OSError: [Errno 28] No space left on device: '/a/b' [while running 'Write']"), "full", "/a/b"),
        (RuntimeError("[Errno 13] Permission denied: '/a/b' [while running 'Write']"), "may not be used", "/a/b"),
        (tf.errors.ResourceExhaustedError(None, None, "/a/b.tempstate1; No space left on device"), "full", "/a/b"),
        (
            RuntimeError("{{function_node __save__device:/job:a/b:0}} /a/b; No space left on device [Op:Save]"),
            "full",
            "/a/b",
        ),
        (tf.errors.PermissionDeniedError(None, None, "/a/b; Permission denied"), "may not be used", "/a/b"),
        (tf.errors.FailedPreconditionError(None, None, "/a/b; Read-only file system"), "read-only", "/a/b"),
        (RuntimeError("Error when executing query: database or disk is full query: COMMIT;"), "full", ""),
        (RuntimeError("Error when executing query: attempt to write a readonly database"), "read-only", ""),
        (FileNotFoundError(2, "No usable temporary directory found in ['/tmp']"), "full", "/tmp"),
    ],
)
def test_what_frameworks_make_of_it(error: Exception, what: str, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/tmp")
    assert what in told(error).what
    assert told(error).where.startswith(where)


def test_the_cause_is_found_behind_other_errors() -> None:
    error = ValueError("the bundle failed")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device", "/a/b")
    assert told(error).where == "/a/b"


def test_where_the_error_names_no_file_the_folder_is_named(tmp_path: Path) -> None:
    assert told(OSError(errno.ENOSPC, "No space left on device"), tmp_path).where == str(tmp_path)


def test_a_full_temporary_folder_is_mended_by_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert "TMPDIR=" in told(OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "beam/x"))).fix


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(errno.ENOENT, "No such file or directory", "/a"),
        ValueError("the disk is round"),
        tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor"),
        RuntimeError("7: Permission denied on resource project"),
    ],
)
def test_what_is_not_the_disk_is_left_alone(error: Exception) -> None:
    assert storage_error(error) is None
