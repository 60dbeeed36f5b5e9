"""What the image weighs: layers, as stored and as they travel, and the packages that take the most."""

import json
import os
import re
import tarfile
import tempfile
import zlib
from typing import IO, TYPE_CHECKING, List, NamedTuple, Tuple

if TYPE_CHECKING:
    from deploy.engine import Buildah, Docker

SHOWN = 10
# gzip at its default, as `docker push` does it.
_LEVEL = 6


class Layer(NamedTuple):
    """One layer of an image.

    Attributes:
        made_by: the Dockerfile's instruction, shortened.
        size: bytes of its archive.
        compressed: bytes of it as pushed to a registry.
    """

    made_by: str
    size: int
    compressed: int


def read_layers(archive: str) -> List[Layer]:
    """Layers of an image saved with `docker save`, lowest first."""
    with tarfile.open(archive) as saved:
        manifest = json.loads(_member(saved, "manifest.json").read())[0]
        config = json.loads(_member(saved, manifest["Config"]).read())
        steps = [step.get("created_by", "") for step in config["history"] if not step.get("empty_layer")]
        weights = [_weigh(_member(saved, name)) for name in manifest["Layers"]]
    # No strict=: any Python 3 runs this.
    return [Layer(_shortened(step), *weight) for step, weight in zip(steps, weights)]  # noqa: B905


def _weigh(content: IO[bytes]) -> Tuple[int, int]:
    size = compressed = 0
    packer = zlib.compressobj(_LEVEL)
    for block in iter(lambda: content.read(1 << 20), b""):
        size += len(block)
        compressed += len(packer.compress(block))
    return size, compressed + len(packer.flush())


def _member(saved: tarfile.TarFile, name: str) -> IO[bytes]:
    content = saved.extractfile(name)
    if content is None:
        raise ValueError(f"no file {name} in the saved image")
    return content


def _shortened(step: str) -> str:
    step = re.sub(r"^(/bin/sh -c|RUN)\s+", "", re.sub(r"#\(nop\)\s*|--mount=\S+\s*|\s*# buildkit$", "", step))
    step = re.sub(r"^(?:\|\d+ .*?)?/bin/sh -c ", "", step)
    step = re.sub(r"(dir|file|multi):[0-9a-f]{16,} ?", "", step)
    return step if len(step) <= 60 else step[:57] + "..."


def report_size(engine: "Docker | Buildah") -> None:
    """Prints both tables, as Markdown."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as scratch:
        archive = os.path.join(scratch, "image.tar")
        engine.save("product", archive)
        layers = read_layers(archive)
    print("| layer | MB | MB compressed |\n|---|---:|---:|")
    for layer in layers:
        print(f"| `{layer.made_by}` | {layer.size / 1e6:.0f} | {layer.compressed / 1e6:.0f} |")
    total, travels = sum(layer.size for layer in layers), sum(layer.compressed for layer in layers)
    print(f"| together | {total / 1e6:.0f} | {travels / 1e6:.0f} |\n", flush=True)
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "package_sizes.py")) as file:
        engine.run("product", ["python", "-c", file.read(), str(SHOWN)], "1000", [], {})
