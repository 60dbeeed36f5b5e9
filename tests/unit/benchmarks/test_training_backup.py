from __future__ import annotations

from benchmarks.training_backup import backups_within


def test_backups_at_the_end_of_an_epoch_are_not_counted() -> None:
    epoch = [
        ("train", 0.0, 0.0, 2, 0.0),
        ("train", 0.0, 0.0, 2, 0.0),
        ("train", 0.0, 0.0, 1, 0.0),
        ("test", 0.0, 0.0, 1, 0.0),
    ]
    # Steps 2, 4, 5 | 7, 9, 10 | 12, 14, 15. Every second step: after 7 (6), 9 (8) and, at the end, 10; 12 and 14.
    assert backups_within(epoch * 3, 2) == 4


def test_an_execution_that_passes_no_multiple_is_not_backed_up() -> None:
    epoch = [("train", 0.0, 0.0, 2, 0.0), ("train", 0.0, 0.0, 2, 0.0), ("test", 0.0, 0.0, 1, 0.0)]
    # Steps 2, 4 | 6, 8 | 10, 12. Every third: after 6, and after 10 (9); 8 passes none.
    assert backups_within(epoch * 3, 3) == 2
