from __future__ import annotations

import io
import json
import tarfile
import zlib
from pathlib import Path

import pytest

from deploy.image_size import Layer, read_layers


def _saved(path: Path, files: dict[str, bytes]) -> str:
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return str(path)


def test_weighs_each_layer_beside_the_step_that_made_it(tmp_path: Path) -> None:
    history = [
        {"created_by": "/bin/sh -c #(nop) ADD file:0123456789abcdef0 in / "},
        {"created_by": "/bin/sh -c #(nop) ENV A=1", "empty_layer": True},
        {"created_by": "RUN /bin/sh -c make it # buildkit"},
    ]
    archive = _saved(
        tmp_path / "image.tar",
        {
            "one.tar": b"a" * 1000,
            "two.tar": b"bc" * 1000,
            "config.json": json.dumps({"history": history}).encode(),
            "manifest.json": json.dumps([{"Config": "config.json", "Layers": ["one.tar", "two.tar"]}]).encode(),
        },
    )

    assert read_layers(archive) == [
        Layer("ADD in / ", 1000, len(zlib.compress(b"a" * 1000, 6))),
        Layer("make it", 2000, len(zlib.compress(b"bc" * 1000, 6))),
    ]


@pytest.mark.parametrize("step", ["COPY --from=environment /opt/venv /opt/venv", "x" * 60])
def test_a_short_step_is_shown_whole(tmp_path: Path, step: str) -> None:
    archive = _saved(
        tmp_path / "image.tar",
        {
            "one.tar": b"",
            "config.json": json.dumps({"history": [{"created_by": step}]}).encode(),
            "manifest.json": json.dumps([{"Config": "config.json", "Layers": ["one.tar"]}]).encode(),
        },
    )

    assert [layer.made_by for layer in read_layers(archive)] == [step]
