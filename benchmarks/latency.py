"""Seconds an answer takes: in a fresh process from start to exit, and with the model loaded.

    python benchmarks/latency.py [--model small] [--picture examples/desk.jpg] [--runs 5] [--threads 2]

The ratios are against the same model's dense head alone, and against the same model that reads every token by itself,
all in the same run. Answers are drafted by what a model was taught (`graspwise.model.drafts`).
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import patch

import torch

import graspwise
from graspwise.model.generate import AnswerWriter
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

    def answer(who: Model) -> None:
        who.look(options.picture).ask("Pick up the object.")

    loaded, alone, one_by_one = [], [], []
    for run in range(options.runs + 1):
        times = [seconds(lambda m=m: answer(m)) for m in (model, head)]
        with patch.object(AnswerWriter, "draft", lambda writer, ids: []):
            times.append(seconds(lambda: answer(model)))
        # The first answer of each warms it up.
        if run:
            for values, value in zip((loaded, alone, one_by_one), times, strict=True):
                values.append(value)
    figures = {
        "fresh process": fresh, "model loaded": loaded, "dense head alone": alone, "token by token": one_by_one
    }  # fmt: skip
    for name, values in figures.items():
        middle, least, most = statistics.median(values), min(values), max(values)
        print(f"{name}: median {middle:.2f} s, {least:.2f} to {most:.2f}, {len(values)} runs")
    for name, values in (("dense head alone", alone), ("token by token", one_by_one)):
        ratio = statistics.median(a / b for a, b in zip(loaded, values, strict=True))
        print(f"model loaded / {name}: {ratio:.2g}")
    print(json.dumps({name: [round(v, 3) for v in values] for name, values in figures.items()}))


if __name__ == "__main__":
    main()
