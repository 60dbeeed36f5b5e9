from __future__ import annotations

from benchmarks.training_curves import curve


def test_the_first_epoch_counts_as_long_as_the_others() -> None:
    executions = [
        ("train", 0.0, 9.0, 4), ("test", 9.0, 10.0, 1),
        ("train", 10.0, 11.0, 4), ("test", 12.0, 13.0, 1),
        ("train", 13.0, 14.0, 4), ("test", 15.0, 16.0, 1),
    ]  # fmt: skip
    assert curve({"executions": executions, "history": {"val_loss": [0.9, 0.5, 0.4]}}) == {
        "steps": [4, 8, 12],
        "seconds": [2.0, 4.0, 6.0],
        "val_loss": [0.9, 0.5, 0.4],
    }
