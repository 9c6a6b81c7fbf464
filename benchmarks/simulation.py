"""Scenes a second: rendered alone, and labelled by physics, on one core and on more: `python benchmarks/simulation.py`.

Each row is a ratio to the one-core row of the same run, so that the machine's speed cancels.
"""

import argparse
import json
import os
import tempfile
import time
from functools import partial
from pathlib import Path

from graspwise.data.sim import SimConfig, make_scene
from graspwise.parallel import in_order
from graspwise.sim.catalogue import entries
from graspwise.sim.show import write_one


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=24, help="how many scenes a row")
    parser.add_argument("--out", type=Path, help="also write the rows as JSON")
    options = parser.parse_args()
    cores = os.cpu_count() or 1
    counts = sorted({1, *(2**k for k in range(1, 8) if 2**k <= cores), cores})
    rows = [measure(kind, workers, options.scenes) for kind in ("rendered", "labelled") for workers in counts]
    print("| scenes | workers | scenes a second | times one worker |\n|---|---|---|---|")
    for row in rows:
        one = next(r for r in rows if r["kind"] == row["kind"] and r["workers"] == 1)
        row["ratio"] = round(row["scenes_per_second"] / one["scenes_per_second"], 2)
        print(f"| {row['kind']} | {row['workers']} | {row['scenes_per_second']:.2f} | {row['ratio']:.2f} |")
    if options.out:
        options.out.write_text(
            json.dumps({"date": time.strftime("%Y-%m-%d"), "cores": cores, "rows": rows}, indent=1) + "\n"
        )


def measure(kind: str, workers: int, scenes: int) -> dict[str, float | int | str]:
    """Scenes a second of fresh scenes of one training object each; starting the workers is not counted."""
    with tempfile.TemporaryDirectory() as folder:
        if kind == "rendered":
            make = partial(
                write_one, pool=entries(["train"], sets=("train",)), fewest=1, most=1, folder=Path(folder), seed=0
            )  # fmt: skip
        else:
            make = partial(make_scene, config=SimConfig(objects=("train",), scenes=scenes), folder=Path(folder))
        stream = in_order(make, range(scenes + workers), workers=workers)
        for _ in range(workers):
            next(stream)
        started = time.perf_counter()
        done = sum(1 for _ in stream)
        return {"kind": kind, "workers": workers, "scenes_per_second": round(done / (time.perf_counter() - started), 3)}


if __name__ == "__main__":
    main()
