"""Memory of a training that reads few samples, and of one that reads ten million: the ratio of their peaks.

    python benchmarks/streaming.py [--rows 10000 10000000] [--read 20000] [--folds 0] [--work DIR]

Writes synthetic rows in the data set's own format, about 0.6 KB a row, and deletes them afterwards. For each set a
process of its own opens it, splits and divides it as `graspwise train` does, and reads samples in training's order.
Measured is that process's peak, with all libraries that a training loads.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from graspwise.data.build import SHARD
from graspwise.data.store import FORMAT

# Rows made of one photograph, and photographs of one object.
SIBLINGS, VIEWS = 10, 100


def write(folder: Path, rows: int) -> None:
    """A data set without pictures: one row in ten is a photograph, the others its augmented siblings."""
    (folder).mkdir(parents=True)
    rng = random.Random(0)
    for shard in range(-(-rows // SHARD)):
        with (folder / f"samples-{shard:05d}.jsonl").open("w", encoding="utf-8") as lines:
            for number in range(shard * SHARD, min(rows, (shard + 1) * SHARD)):
                x, y = (round(rng.uniform(20, 200), 3) for _ in range(2))
                photograph = number // SIBLINGS
                corners = [[x, y], [x + 20, y], [x + 20, y + 10], [x, y + 10]]
                thing = f"thing {photograph // VIEWS % 74}"
                answer = f"The {thing} is held by its middle. [0.{number % 1000:03d}, 0.500], +0.{number % 100:02d}"
                asked = [{"type": "image"}, {"type": "text", "text": f"Pick up the {thing}."}]
                value = {
                    "id": f"{number:08d}", "images": [f"images/{number // 1000:05d}/{number:08d}.jpg"],
                    "object_id": f"object-{photograph // VIEWS}", "category": thing, "description": f"small {thing}",
                    "source_image": f"photograph-{photograph}", "original": number % SIBLINGS == 0,
                    "transform": {"matrix": [[1, 0, 0], [0, 1, 0]], "source_size": [224, 224], "size": [224, 224]},
                    "rectangles": [corners],
                    "messages": [{"role": "user", "content": asked},
                                 {"role": "assistant", "content": [{"type": "text", "text": answer}]}],
                }  # fmt: skip
                lines.write(json.dumps(value) + "\n")
    info = {"format": FORMAT, "task": "grasp", "source": "synthetic", "answer": "reasoned", "samples": rows}
    (folder / "dataset.json").write_text(json.dumps(info))


def read(folder: Path, count: int, folds: int) -> None:
    """Prints what reading took, as JSON."""
    from graspwise.data.mixture import open_data
    from graspwise.data.rows import outlines
    from graspwise.data.split import make_split
    from graspwise.train.estimate import peak_memory
    from graspwise.train.examples import Order
    from graspwise.train.parts import divide, plate_length

    loaded, started = peak_memory(), time.perf_counter()
    dataset = open_data([folder])
    split = make_split(outlines(dataset.sources()), by="object", folds=folds, fold=0, validation=0.05, seed=0)
    parts = divide(dataset, split)
    plate_length(parts.captions)
    divided = time.perf_counter() - started
    order, seen = Order(len(parts.training), seed=0), set()
    started = time.perf_counter()
    for position in range(count):
        seen.add(parts.training[order[position]].id)
    reading = time.perf_counter() - started
    assert len(seen) == min(count, len(parts.training))
    found = {
        "rows": len(dataset), "training": len(parts.training), "peak_mb": round(peak_memory() / 1e6, 1),
        "libraries_mb": round(loaded / 1e6, 1), "seconds_to_divide": round(divided, 1),
        "milliseconds_a_sample": round(1000 * reading / count, 3),
    }  # fmt: skip
    print(json.dumps(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs=2, default=[10_000, 10_000_000])
    parser.add_argument("--read", type=int, default=20_000)
    parser.add_argument("--folds", type=int, default=0)
    parser.add_argument("--work", type=Path, help="where the rows are written; by default the system's own")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.folder:
        read(options.folder, options.read, options.folds)
        return
    if options.work:
        Path(options.work).mkdir(parents=True, exist_ok=True)
    work, figures = Path(tempfile.mkdtemp(dir=options.work)), []
    try:
        for rows in options.rows:
            write(work / str(rows), rows)
            command = [sys.executable, __file__, "--folder", str(work / str(rows)), "--folds", str(options.folds)]
            command += ["--read", str(min(options.read, rows // 2))]
            figures.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
            print(figures[-1])
            shutil.rmtree(work / str(rows))
    finally:
        shutil.rmtree(work)
    few, many = figures
    print(f"peak at {many['rows']} rows / at {few['rows']} rows: {many['peak_mb'] / few['peak_mb']:.2f}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
