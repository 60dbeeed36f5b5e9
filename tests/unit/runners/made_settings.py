"""Settings of the pipeline `trips`, whose history MadeHistory makes: spans in data/, everything else in output/."""

from __future__ import annotations

from pathlib import Path

from configs.load import load_settings
from configs.settings import Settings

_TEXT = """\
name: trips
output_dir: FOLDER/output
data: {path: "FOLDER/data/{SPAN}.csv"}
features:
  fare: {kind: numeric}
label: {kind: binary, expression: tips > 1}
evaluation: {thresholds: {auc: {lower: 0.5}}}
"""


def made_settings(folder: Path, *overrides: str, more: str = "") -> Settings:
    """Writes <folder>/settings.yaml and loads it; `more` are further sections, in which FOLDER is the folder."""
    file = folder / "settings.yaml"
    file.write_text((_TEXT + more).replace("FOLDER", str(folder)))
    return load_settings([file], overrides, {})
