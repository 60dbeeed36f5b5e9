"""What the Dockerfile promises and a build does not notice when it is gone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[3]
SETUP = (ROOT / "setup.py").read_text()


class Stage(NamedTuple):
    name: str
    parent: str
    steps: list[tuple[str, str]]


def _instructions(text: str) -> list[tuple[str, str]]:
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", "", lines)
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def _stages(instructions: list[tuple[str, str]]) -> dict[str, Stage]:
    stages: dict[str, Stage] = {}
    for word, rest in instructions:
        if word == "FROM":
            parent, _, name = rest.partition(" AS ")
            stages[name] = Stage(name, parent, [])
        elif stages:
            stages[next(reversed(stages))].steps.append((word, rest))
    return stages


INSTRUCTIONS = _instructions((ROOT / "deploy" / "Dockerfile").read_text())
STAGES = _stages(INSTRUCTIONS)
STEPS = [(stage.name, word, rest) for stage in STAGES.values() for word, rest in stage.steps]


def _lineage(name: str) -> list[Stage]:
    found = []
    while name in STAGES:
        found.append(STAGES[name])
        name = STAGES[name].parent
    return found


def _last(name: str, wanted: str) -> str:
    for stage in _lineage(name):
        for word, rest in reversed(stage.steps):
            if word == wanted:
                return rest
    return ""


def _sources(rest: str) -> list[str]:
    return [word for word in rest.split()[:-1] if not word.startswith("--")]


def _context_copies() -> list[str]:
    copies = [rest for _, word, rest in STEPS if word in ("COPY", "ADD") and "--from=" not in rest]
    return sorted({source for rest in copies for source in _sources(rest)})


def test_reads_a_dockerfile() -> None:
    text = "ARG A=1\n# a comment\nFROM x AS one\nRUN a \\\n    # why\n    && b\nFROM one AS two\nUSER 7\n"

    stages = _stages(_instructions(text))

    assert stages == {
        "one": Stage("one", "x", [("RUN", "a && b")]),
        "two": Stage("two", "one", [("USER", "7")]),
    }


def test_the_base_is_pinned_by_its_digest() -> None:
    assert INSTRUCTIONS[0][0] == "ARG"
    assert re.fullmatch(r"BASE=\S+/debian:trixie-\d{8}-slim@sha256:[0-9a-f]{64}", INSTRUCTIONS[0][1])


def test_every_stage_stands_on_the_base() -> None:
    assert {_lineage(name)[-1].parent for name in STAGES} == {"${BASE}"}


def test_the_last_stage_is_the_image() -> None:
    assert next(reversed(STAGES)) == "product"
    assert _last("product", "ENTRYPOINT") == '["scalable-tf"]'


@pytest.mark.parametrize("name", ["product", "test"])
def test_does_not_run_as_root(name: str) -> None:
    user = _last(name, "USER")

    # By number, so that Kubernetes' runAsNonRoot can tell.
    assert user.isdigit()
    assert int(user) > 0


def test_installs_the_product_lock_with_hashes() -> None:
    (installed,) = [
        rest for name, word, rest in STEPS if name == "environment" and "install_lock.py" in rest and word == "RUN"
    ]

    assert installed.endswith("install_lock.py /build/tfx-1.21.txt /opt/venv")
    assert '"--require-hashes"' in (ROOT / "deploy" / "install_lock.py").read_text()


def test_nothing_else_is_installed_from_an_index() -> None:
    installs = [rest for _, word, rest in STEPS if word == "RUN" and re.search(r"\b(pip|uv)\b (install|wheel)", rest)]

    assert installs
    assert [rest for rest in installs if "--no-index" not in rest or "--no-deps" not in rest] == []


def test_the_image_has_no_compiler() -> None:
    steps = [rest for stage in _lineage("product") for _, rest in stage.steps]

    assert [rest for rest in steps if re.search(r"g\+\+|gcc|python3-dev", rest)] == []


def test_apt_leaves_neither_lists_nor_what_was_not_asked_for() -> None:
    for _, _, rest in STEPS:
        if "apt-get install" in rest:
            assert "--no-install-recommends" in rest
            assert "rm -rf /var/lib/apt/lists/*" in rest


def test_every_file_that_is_copied_is_there() -> None:
    assert [source for source in _context_copies() if not (ROOT / source).exists()] == []


def test_every_file_that_is_copied_is_sent_to_the_build() -> None:
    allowed = {line[2:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!/")}

    assert {source.split("/")[0] for source in _context_copies()} - {"."} <= allowed


def test_every_package_is_in_the_wheel() -> None:
    copied = {source for _, rest in STAGES["wheel"].steps for source in _sources(rest)}
    packages = set(re.findall(r'^    "(\w+)(?:\.\w+)*",$', SETUP, re.MULTILINE))

    assert "configs" in packages
    assert packages <= copied


def test_layers_do_not_depend_on_what_a_cache_cannot_see() -> None:
    # buildah knows a RUN by its text: what is bind-mounted into it may change unseen.
    assert [rest for _, _, rest in STEPS if "type=bind" in rest] == []


def test_secrets_and_caches_are_only_mounted() -> None:
    assert [
        rest for _, word, rest in STEPS if word in ("ARG", "ENV", "COPY") and re.search("CERT|TOKEN|INDEX", rest)
    ] == []
