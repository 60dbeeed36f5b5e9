from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from configs.fingerprint import code_fingerprint, settings_fingerprint
from configs.load import load_settings
from schemas.errors import SettingsError

Write = Callable[..., Path]


def of(file: Path, *overrides: str) -> str:
    return settings_fingerprint(load_settings([file], overrides, {"HOME": "/home/me", "DB_PW": "x"}))


def test_a_default_that_is_written_out_changes_nothing(write: Write) -> None:
    assert of(write()) == of(write("training: {epochs: 10}\n"))
    assert len(of(write())) == 64


@pytest.mark.parametrize(
    "override",
    [
        "output_dir=elsewhere",
        "logging.level=debug",
        "runner.cache=false",
        "runner.parallel_nodes=7",
        "engine.kind=direct",
        "engine.inline_max_bytes=1",
        "kubeflow.image=registry/image:1",
        "kubeflow.nodes={Trainer: {timeout_seconds: 5}}",
        "metadata.url=mysql://me@host/db",
        "push.model=other",
        "push.keep=3",
        "validation.samples=9",
        "training.tensorboard=false",
    ],
)
def test_where_and_how_a_run_goes_does_not_count(write: Write, override: str) -> None:
    assert of(write(), override) == of(write())


@pytest.mark.parametrize(
    "override",
    [
        "training.epochs=11",
        "data.path=b.csv",
        "features.fare.log=true",
        "features.x={kind: text}",
        "name=b",
        "validation.fail_at=warning",
    ],
)
def test_what_decides_the_result_counts(write: Write, override: str) -> None:
    assert of(write(), override) != of(write())


def test_the_same_features_in_another_order_are_the_same(write: Write) -> None:
    assert of(write(), "features.b={kind: text}", "features.a={kind: text}") == of(
        write(), "features.a={kind: text}", "features.b={kind: text}"
    )


def test_secrets_do_not_count(write: Write) -> None:
    one = of(write(), "metadata.url=mysql://me:one@host/db")
    assert (
        one
        == of(write(), "metadata.url=mysql://me:two@host/db")
        == of(write(), "metadata.url=mysql://me:${DB_PW}@host/db")
    )


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on sys.path with a package and a module that must not be imported."""
    root = tmp_path / "site"
    (root / "stfcode/inner").mkdir(parents=True)
    for name in ("stfcode/__init__.py", "stfcode/inner/a.py", "stfsingle.py"):
        (root / name).write_text("raise AssertionError('imported')\n")
    monkeypatch.setattr(sys, "path", [str(root), *sys.path])
    return root


def test_code_is_fingerprinted_without_importing_it(site: Path) -> None:
    assert len(code_fingerprint(["stfcode", "stfsingle"])) == 64
    assert not {"stfcode", "stfsingle"} & set(sys.modules)


@pytest.mark.parametrize("change", ["content", "name", "new", "gone"])
def test_changed_code_has_another_fingerprint(site: Path, change: str) -> None:
    before = code_fingerprint(["stfcode"])
    file = site / "stfcode/inner/a.py"
    if change == "content":
        file.write_text("raise AssertionError('Imported')\n")
    elif change == "name":
        file.rename(site / "stfcode/inner/b.py")
    elif change == "new":
        (site / "stfcode/b.py").write_text("")
    else:
        file.unlink()
    assert code_fingerprint(["stfcode"]) != before


def test_a_changed_module_of_one_file_has_another_fingerprint(site: Path) -> None:
    before = code_fingerprint(["stfsingle"])
    (site / "stfsingle.py").write_text("x = 1\n")
    assert code_fingerprint(["stfsingle"]) != before


def test_caches_times_and_other_files_do_not_count(site: Path) -> None:
    before = code_fingerprint(["stfcode"])
    (site / "stfcode/__pycache__").mkdir()
    (site / "stfcode/__pycache__/a.py").write_text("x")
    (site / "stfcode/.ipynb_checkpoints").mkdir()
    (site / "stfcode/.ipynb_checkpoints/a.py").write_text("x")
    (site / "stfcode/notes.txt").write_text("x")
    os.utime(site / "stfcode/inner/a.py", (1, 1))
    assert code_fingerprint(["stfcode"]) == before


def test_where_a_package_is_installed_does_not_count(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = code_fingerprint(["stfcode"])
    site.rename(tmp_path / "moved")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "moved"), *sys.path])
    assert code_fingerprint(["stfcode"]) == before


def test_order_and_repetition_do_not_count(site: Path) -> None:
    assert code_fingerprint(["stfcode", "stfsingle"]) == code_fingerprint(["stfsingle", "stfcode", "stfcode"])


def test_a_module_inside_a_package_is_taken_alone(site: Path) -> None:
    inner, whole = code_fingerprint(["stfcode.inner"]), code_fingerprint(["stfcode"])
    outside = next(file for file in (site / "stfcode").glob("*.py"))
    outside.write_text("changed = True\n")
    assert code_fingerprint(["stfcode.inner"]) == inner
    assert code_fingerprint(["stfcode"]) != whole


def test_a_module_that_is_not_in_its_package_is_an_error(site: Path) -> None:
    with pytest.raises(SettingsError, match=r"no module 'stfcode\.iner'") as caught:
        code_fingerprint(["stfcode.iner"])
    assert "stfcode.inner" in caught.value.fix


def test_a_namespace_package_counts_all_its_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for part in ("one", "two"):
        (tmp_path / part / "stfspread").mkdir(parents=True)
        (tmp_path / part / "stfspread" / f"{part}.py").write_text("x = 1\n")
        monkeypatch.syspath_prepend(str(tmp_path / part))
    before = code_fingerprint(["stfspread"])
    (tmp_path / "one/stfspread/one.py").write_text("x = 2\n")
    assert code_fingerprint(["stfspread"]) != before


def test_an_installed_package_and_a_loaded_one() -> None:
    assert code_fingerprint(["pydantic"]) != code_fingerprint(["yaml"])


def test_a_module_that_is_not_there_names_the_nearest(site: Path) -> None:
    with pytest.raises(SettingsError, match="no installed module 'stfcoed'") as caught:
        code_fingerprint(["stfcoed.inner"])
    assert caught.value.fix.startswith("Did you mean 'stfcode'?")
