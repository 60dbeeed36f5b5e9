"""What settings need besides to be compiled for a cluster, or for Vertex AI."""

from __future__ import annotations

from pathlib import Path

from configs.load import load_settings
from configs.settings import Settings

ROOT = Path(__file__).parents[4]
IMAGE = f"registry.example.com/ml/scalable-tf@sha256:{'0' * 64}"
KFP = (
    f"kubeflow.image={IMAGE}",
    "kubeflow.volumes=[{mount: /mnt/stf, claim: stf}]",
    "kubeflow.environment_secrets={DB_PASSWORD: {secret: mlmd, key: password}}",
    "metadata.url=mysql://ml:${DB_PASSWORD}@mysql.ml/mlmd",
)
VERTEX = (f"kubeflow.image={IMAGE}",)


def on_kfp(name: str, *more: str) -> Settings:
    """Shipped settings on a cluster that has all that they need."""
    file = ROOT / "configs" / f"{name}.yaml"
    return load_settings([file], [f"output_dir=/mnt/stf/{name}", *_data(file, "/mnt/stf"), *KFP, *more], {})


def on_vertex(name: str, *more: str) -> Settings:
    """The same on Vertex AI."""
    file = ROOT / "configs" / f"{name}.yaml"
    return load_settings([file], [f"output_dir=gs://bucket/{name}", *_data(file, "/gcs/bucket"), *VERTEX, *more], {})


def _data(file: Path, folder: str) -> list[str]:
    """Data that are no package's are put where the tasks see them."""
    path = load_settings([file], [], {}).data.path or ""
    return [] if path.startswith("package:") else [f"data.path={folder}/{path}"]
