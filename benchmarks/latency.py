"""Seconds an answer takes: in a fresh process from start to exit, and with the model loaded.

    python benchmarks/latency.py [--model small] [--picture examples/desk.jpg] [--runs 5] [--threads 2]

The ratio is against the same model's dense head alone, in the same run.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch

import graspwise
from graspwise.model.plain_responders import HeadResponder
from graspwise.predict import Model


def seconds(work) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="small")
    parser.add_argument("--picture", type=Path, default=Path(__file__).parents[1] / "examples" / "desk.jpg")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    command = [sys.executable, "-c", "from graspwise.cli import main; main()", "predict", str(options.picture)]
    fresh = [
        seconds(lambda: subprocess.run([*command, "--model", options.model], check=True, capture_output=True))
        for _ in range(options.runs)
    ]
    model = graspwise.load(options.model)
    head = Model(HeadResponder(options.model))
    loaded, alone = [], []
    for run in range(options.runs + 1):
        pair = [seconds(lambda m=m: m.look(options.picture).ask("Pick up the object.")) for m in (model, head)]
        # The first answer of each warms it up.
        if run:
            loaded.append(pair[0])
            alone.append(pair[1])
    figures = {"fresh process": fresh, "model loaded": loaded, "dense head alone": alone}
    for name, values in figures.items():
        middle, least, most = statistics.median(values), min(values), max(values)
        print(f"{name}: median {middle:.2f} s, {least:.2f} to {most:.2f}, {len(values)} runs")
    print(
        f"model loaded / dense head alone: {statistics.median(a / b for a, b in zip(loaded, alone, strict=True)):.0f}"
    )
    print(json.dumps({name: [round(v, 3) for v in values] for name, values in figures.items()}))


if __name__ == "__main__":
    main()
