"""Many clients at once against one: what is lost, what differs, latency, throughput and memory of a server on loopback.

    python benchmarks/serve_load.py [--model small] [--clients 32] [--seconds 120] [--batch 8] [--out load.json]

Starts `graspwise serve`. First one client asks for the given time, and all questions at least once: the answers to
compare with. Then many clients ask at once. An answer differs where x or y do by more than 0.01 or theta by more than
0.05 rad. A 429 is asked again after Retry-After and is no loss; any other failure is.
"""

import argparse
import base64
import itertools
import json
import math
import platform
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

import graspwise
from graspwise.files import write_json
from graspwise.grasp import angle_difference

SENTENCES = (
    "Pick up the object.",
    "Grasp it so that it does not slip.",
    "Hand me that thing.",
    "Take the thing there.",
)
# What a conversation goes on with, and the answers that stand in it.
REQUESTS = ("Further left.", "Turn it a quarter.")
ANSWERS = (
    "It is best held around its middle.\n[0.500, 0.500], +0.40",
    "So here it is, further left.\n[0.400, 0.500], +0.40",
)
MOST_SHIFT, MOST_TURN = 0.01, 0.05
# Longer than the server gives a request, so that its own answer arrives.
PATIENCE_SECONDS = 300


@contextmanager
def server(options: argparse.Namespace):
    """A server on a free port; its address."""
    command = [sys.executable, "-c", "from graspwise.cli import main; main()", "serve", "--port", "0",
               "--model", options.model, "--batch", str(options.batch), "--queue", str(options.queue)]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            said = ""
            while (found := re.search(r" on (http://\S+) ", said)) is None:
                said = process.stderr.readline()
                if not said:
                    raise SystemExit("the server ended before it had begun")
            # Nobody else empties the pipe.
            threading.Thread(target=process.stderr.read, daemon=True).start()
            yield found[1]
        finally:
            process.terminate()
            process.wait()


def questions(folder: Path) -> list[dict]:
    """Every photograph of a folder with every sentence; with one of them after earlier turns, and in a workspace."""
    pictures = sorted(p for p in folder.iterdir() if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    encoded = [base64.b64encode(path.read_bytes()).decode() for path in pictures]
    sizes = [Image.open(path).size for path in pictures]
    asked = [{"image": image, "instruction": text} for text in SENTENCES for image in encoded]
    for number, (image, size) in enumerate(zip(encoded, sizes, strict=True)):
        text, side = SENTENCES[number % len(SENTENCES)], int(0.9 * min(size))
        asked.append({"image": image, "instruction": text, "workspace": [0, 0, side, side]})
        for turns, request in enumerate(REQUESTS, start=1):
            asked.append({"image": image, "instruction": request, "messages": earlier(text, turns)})
    return asked


def earlier(text: str, turns: int) -> list[dict]:
    """What was said before: an instruction and its answer, then maybe a request to change it and that answer."""
    said = zip([text, REQUESTS[0]][:turns], ANSWERS, strict=False)
    return [{"role": r, "content": c} for pair in said for r, c in zip(("user", "assistant"), pair, strict=True)]


def ask(client: httpx.Client, question: dict) -> tuple[dict | None, float, int]:
    """The answer (None where it was lost), seconds with all waiting for a full queue, and how often it was full."""
    started = time.perf_counter()
    for full in itertools.count():
        try:
            told = client.post("/v1/grasp", json=question)
        except httpx.HTTPError:
            return None, time.perf_counter() - started, full
        seconds = time.perf_counter() - started
        if told.status_code != 429:
            return (told.json() if told.status_code == 200 else None), seconds, full
        time.sleep(float(told.headers["retry-after"]))


def memory(address: str) -> float:
    """Resident memory of the server, MiB."""
    text = httpx.get(f"{address}/metrics", timeout=PATIENCE_SECONDS).text
    return float(re.search(r"^process_resident_memory_bytes (\S+)", text, re.MULTILINE)[1]) / 2**20


def watched(address: str, ended: threading.Event) -> list[float]:
    found = [memory(address)]
    while not ended.wait(2):
        found.append(memory(address))
    return found


def phase(address: str, asked: list[dict], *, clients: int, seconds: float, least: int) -> tuple[list, dict]:
    """Answers as (question, answer, seconds, times full), and their figures; each client begins elsewhere."""
    answers, ended, end = [], threading.Event(), time.perf_counter() + seconds

    def one(number: int) -> None:
        with httpx.Client(base_url=address, timeout=PATIENCE_SECONDS) as client:
            for turn in itertools.count():
                if time.perf_counter() >= end and turn >= least:
                    return
                index = (number * len(asked) // clients + turn) % len(asked)
                answers.append((index, *ask(client, asked[index])))

    started = time.perf_counter()
    with ThreadPoolExecutor(clients + 1) as pool:
        watching = pool.submit(watched, address, ended)
        for done in [pool.submit(one, number) for number in range(clients)]:
            done.result()
        ended.set()
        taken, used = time.perf_counter() - started, watching.result()
    times = [s for _, answer, s, _ in answers if answer is not None]
    p50, p95 = np.percentile(times, [50, 95]).tolist() if times else (math.nan, math.nan)
    return answers, {
        "clients": clients,
        "seconds": round(taken, 1),
        "asked": len(answers),
        "lost": sum(answer is None for _, answer, _, _ in answers),
        "queue_full": sum(full for *_, full in answers),
        "p50_seconds": round(p50, 3),
        "p95_seconds": round(p95, 3),
        "answers_per_second": round(len(times) / taken, 3),
        "memory_mib": {"first": round(used[0]), "most": round(max(used)), "last": round(used[-1])},
    }


def differs(a: dict, b: dict) -> bool:
    """Whether two answers mean different grasps."""
    one, other = a["grasp"], b["grasp"]
    if one is None or other is None:
        return one is not other
    shift = max(abs(one["x"] - other["x"]), abs(one["y"] - other["y"]))
    return shift > MOST_SHIFT or angle_difference(one["theta"], other["theta"]) > MOST_TURN


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="small")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--queue", type=int, default=64)
    parser.add_argument("--pictures", type=Path, default=Path(__file__).parents[1] / "examples")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()

    asked = questions(options.pictures)
    with server(options) as address, httpx.Client(base_url=address, timeout=PATIENCE_SECONDS) as client:
        # The first answer warms the model up.
        ask(client, asked[0])
        alone, one = phase(address, asked, clients=1, seconds=options.seconds, least=len(asked))
        reference = {index: answer for index, answer, *_ in alone if answer is not None}
        together, many = phase(address, asked, clients=options.clients, seconds=options.seconds, least=1)
    compared = [(answer, reference[index]) for index, answer, *_ in together if answer and index in reference]
    report = {
        "graspwise": graspwise.__version__,
        "machine": f"{platform.machine()}, {platform.platform()}",
        "model": options.model,
        "batch": options.batch,
        "queue": options.queue,
        "questions": len(asked),
        "questions_compared": len({index for index, answer, *_ in together if answer and index in reference}),
        "one": one,
        "many": many,
        "compared": len(compared),
        "differing": sum(differs(answer, expected) for answer, expected in compared),
        "throughput_ratio": round(many["answers_per_second"] / one["answers_per_second"], 3),
    }
    if options.out:
        write_json(options.out, report)
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
