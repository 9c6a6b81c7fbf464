"""What is read off a run's metrics: the curve of accuracy, and the time in training."""

import json
from pathlib import Path
from typing import Any

from graspwise.evaluation.fold import curve, training_seconds


def write(run: Path, *lines: dict[str, Any]) -> Path:
    (run / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return run


def test_the_curve_is_of_the_last_stage(tmp_path: Path):
    run = write(
        tmp_path,
        {"stage": "maps", "samples": 32, "seconds": 1.0, "accuracy": 0.5},
        {"stage": "answers", "samples": 16, "seconds": 1.0},
        {"stage": "answers", "samples": 32, "seconds": 2.0, "accuracy": 0.8333},
        {"stage": "answers", "samples": 48, "seconds": 3.0, "accuracy": 1.0},
    )
    assert curve(run) == [[32, 83.33], [48, 100.0]]


def test_the_peers_curve_is_its_only_stage(tmp_path: Path):
    assert curve(write(tmp_path, {"stage": "grconvnet", "samples": 8, "seconds": 1.0, "accuracy": 0.25})) == [[8, 25.0]]


def test_a_stage_and_a_resumed_run_start_their_clocks_anew(tmp_path: Path):
    run = write(
        tmp_path,
        {"stage": "maps", "samples": 1, "seconds": 2.0},
        {"stage": "maps", "samples": 2, "seconds": 4.0},
        {"stage": "answers", "samples": 1, "seconds": 4.5},
        {"stage": "answers", "samples": 2, "seconds": 6.5},
        # Interrupted here, and gone on with.
        {"stage": "answers", "samples": 3, "seconds": 1.5},
    )
    assert training_seconds(run) == 4.0 + 6.5 + 1.5
    assert training_seconds(write(tmp_path)) == 0.0
