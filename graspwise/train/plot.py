"""A run's curves as a picture: loss, and the validation accuracy beside it (RT-Grasp, Fig. 7)."""

import json
from pathlib import Path
from typing import Any

from graspwise.files import replacing


def plot_run(folder: Path | str) -> Path | None:
    """Draw `metrics.jsonl` of a run folder into `plots/training.png`; None where there is nothing to draw yet."""
    metrics = Path(folder) / "metrics.jsonl"
    if not metrics.is_file():
        return None
    lines = [json.loads(line) for line in metrics.read_text(encoding="utf-8").splitlines() if line]
    stages: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        stages.setdefault(line["stage"], []).append(line)
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.2 * len(stages), 3.4), layout="constrained")
    axes = figure.subplots(1, len(stages), squeeze=False)[0]
    for axis, (stage, points) in zip(axes, stages.items(), strict=True):
        samples = [p["samples"] for p in points]
        axis.plot(samples, [p["loss"] for p in points], color="tab:blue", linewidth=1)
        axis.set(title=stage, xlabel="training samples", ylabel="loss")
        watched = [p for p in points if "accuracy" in p]
        if watched:
            right = axis.twinx()
            right.plot(
                [p["samples"] for p in watched], [100 * p["accuracy"] for p in watched], "o-", color="tab:orange"
            )
            right.set(ylim=(0, 100), ylabel="validation accuracy, % (rectangle metric)")
    target = Path(folder) / "plots" / "training.png"
    with replacing(target) as temporary:
        figure.savefig(temporary, dpi=110)
    return target
