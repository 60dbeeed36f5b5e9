"""The image: `python3 -m deploy.image build`, `test [pytest's arguments]`, `size`, or `engine`: what would build it.

`make image`, `make test-image` and `make image-size` call it, with requirements/ on PYTHONPATH. Standard library only,
as the set-up's modules.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from typing import Callable, Dict, List, NamedTuple, Tuple

from machine import say
from setup_error import SetupError, exit_code_of

from deploy.engine import NAME, Buildah, Docker, Mount, find_engine
from deploy.image_size import report_size

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# All stages, and an engine's temporary copy of the largest layer. A rebuild after a change of the code adds little.
NEEDED_BYTES = 16 * 1000**3
REBUILD_BYTES = 2 * 1000**3
# The installed packages come first on the path; what is not installed is found through sources.pth.
PYTEST = ("pytest", "-n", "auto", "--dist", "loadgroup", "-p", "no:cacheprovider", "-o", "pythonpath=requirements")
# Slow ones of what depends on the stack; the others run on the machine.
SLOW = ("components", "transforms", "serving", "benchmarks", "models/test_two_tower_head.py")
SUITES: Tuple[Tuple[str, List[str]], ...] = (
    ("fast", ["tests/unit", "tests/golden", "-m", "not slow"]),
    ("slow ones", [*("tests/unit/" + place for place in SLOW), "tests/golden", "-m", "slow"]),
    ("e2e", ["tests/e2e"]),
)
# The shipped image, under a user id that it does not know: the demo's settings that it holds, to a release.
DEMO = ["scalable-tf", "run", "-c", "/opt/configs/taxi.yaml", "--set", "output_dir=/tmp/taxi"]
TEST_USER = "1000"
UNKNOWN_USER = "12345:0"


class Result(NamedTuple):
    """How a command in a container ended."""

    name: str
    code: int
    seconds: float


def _check_disk(engine: "Docker | Buildah", target: str) -> None:
    store = engine.store()
    if store is None:
        return
    while not os.path.isdir(store):
        store = os.path.dirname(store)
    needed = REBUILD_BYTES if engine.has(target) else NEEDED_BYTES
    free = shutil.disk_usage(store).free
    if free < needed:
        raise SetupError(
            f"Building the image needs {needed / 1e9:.0f} GB of disk.",
            f"{free / 1e9:.1f} GB free at {store}, where {engine.name} keeps images",
            f"free some; {engine.name} images lists what is kept there.",
        )


def _environ() -> Dict[str, str]:
    environ = dict(os.environ)
    with open(os.path.join(ROOT, "configs", "version.py")) as file:
        found = re.search(r'^VERSION = "([^"]+)"$', file.read(), re.MULTILINE)
    environ["VERSION"] = found.group(1) if found else "unknown"
    environ["REVISION"] = _revision()
    return environ


def _revision() -> str:
    command = ["git", "-C", ROOT, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError:
        return "unknown"
    return done.stdout.decode().strip() or "unknown"


def _build(engine: "Docker | Buildah", target: str) -> None:
    _check_disk(engine, target)
    begin = time.monotonic()
    say(f"building {NAME}:{target} with {engine.name}")
    engine.build(ROOT, target)
    say(f"built {NAME}:{target} in {time.monotonic() - begin:.0f} s")


def build() -> None:
    """Builds the image.

    Raises:
        SetupError: the machine lacks something, or a step of the build failed.
    """
    _build(find_engine(_environ()), "product")


def test(arguments: List[str]) -> None:
    """Builds the image and the stage with the tests, and runs them: all suites, or what pytest's arguments say.

    Raises:
        SetupError: as for build, or a test failed.
    """
    environ = _environ()
    engine = find_engine(environ)
    _build(engine, "product")
    _build(engine, "test")
    mounts, variables = [], {}
    data = environ.get("STF_IMAGE_DATA")
    if data:
        if not os.path.isdir(data):
            raise SetupError("STF_IMAGE_DATA is the folder of the public data sets.", data, "name it, or unset it.")
        mounts, variables = [Mount(os.path.abspath(data), "/data")], {"STF_DATA": "/data"}
    results = []
    for name, selection in (("chosen", arguments),) if arguments else SUITES:
        results.append(_run(name, engine, "test", [*PYTEST, *selection], TEST_USER, mounts, variables))
    if not arguments:
        results.append(_run("demo", engine, "product", DEMO, UNKNOWN_USER, [], {}))
    for result in results:
        say(f"{result.name}: {'passed' if result.code == 0 else 'FAILED'} in {result.seconds:.0f} s")
    failed = [result.name for result in results if result.code]
    if failed:
        raise SetupError("Tests failed in the image.", ", ".join(failed), "the lines above say why.")


def _run(
    name: str,
    engine: "Docker | Buildah",
    target: str,
    command: List[str],
    user: str,
    mounts: List[Mount],
    variables: Dict[str, str],
) -> Result:
    say(f"{name}, in {NAME}:{target}: {' '.join(command)}")
    begin = time.monotonic()
    code = engine.run(target, command, user, mounts, variables)
    return Result(name, code, time.monotonic() - begin)


def size() -> None:
    """Prints what the image weighs, by layer and by package.

    Raises:
        SetupError: there is no image.
    """
    engine = find_engine(_environ())
    if not engine.has("product"):
        raise SetupError("There is no image to weigh.", f"no {NAME}:product", "make image.")
    report_size(engine)


def _main() -> None:
    commands: Dict[str, Callable[[], None]] = {
        "build": build,
        "test": lambda: test(sys.argv[2:]),
        "size": size,
        "engine": lambda: say(f"images are built with {find_engine(_environ()).name}"),
    }
    named = sys.argv[1] if len(sys.argv) > 1 else ""
    if named not in commands:
        raise SetupError(
            "There is no such command of the image.", named or "none", "one of " + ", ".join(commands) + "."
        )
    commands[named]()


if __name__ == "__main__":
    sys.exit(exit_code_of(_main))
