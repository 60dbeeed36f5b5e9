"""A small pipeline on made-up taxi trips: every node runs, in seconds, and the model is good enough to be blessed."""

from __future__ import annotations

import random
from pathlib import Path

SETTINGS = """\
name: trips
output_dir: FOLDER/output
data: {path: FOLDER/data.csv}
features:
  fare: {kind: numeric}
  miles: {kind: numeric, log: true}
  payment: {kind: categorical}
label: {kind: binary, expression: tips > 0.15 * fare}
model: {hidden_units: [8], cross_layers: 1}
training: {epochs: 6, batch_size: 32, backup_seconds: 0, tensorboard: false, optimizer: {learning_rate: 0.02}}
evaluation: {thresholds: {auc: {lower: 0.6}}}
smoke_check: {enabled: false}
"""


def write_trips(folder: Path, *, rows: int = 400, seed: int = 1, settings: str = SETTINGS) -> Path:
    """Writes settings.yaml and data.csv into a folder, and gives the path of the first."""
    numbers = random.Random(seed)
    lines = ["fare,miles,payment,tips"]
    for _ in range(rows):
        payment = numbers.choice(["Cash", "Credit Card"])
        fare = round(numbers.uniform(3, 40), 2)
        tips = round(fare * numbers.uniform(0.1, 0.4), 2) if payment == "Credit Card" else 0.0
        lines.append(f"{fare},{round(fare / 3 + numbers.random(), 1)},{payment},{tips}")
    (folder / "data.csv").write_text("\n".join(lines) + "\n")
    file = folder / "settings.yaml"
    file.write_text(settings.replace("FOLDER", str(folder)))
    return file
