"""The report of the wishes: figures from made-up records, the published ones beside, pages and pictures."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest
from PIL import Image
from test_page import Reader
from wish_drawn import draw_scene, grasp_on

from graspwise.data.wish_facts import Target
from graspwise.data.wish_scenes import read_scene
from graspwise.data.wishes import KINDS
from graspwise.evaluation.wish_benchmark import WishBenchmark, WishBenchmarkConfig
from graspwise.evaluation.wish_questions import ANYTHING, NOTHING, Question, Stage
from graspwise.evaluation.wish_report import wishes_lines, wishes_report
from graspwise.evaluation.wish_robustness import CaseRecord
from graspwise.evaluation.wish_score import Said, WishRecord, record_of
from graspwise.evaluation.wish_trials import WishTrial
from graspwise.files import read_json

NAMES = ("mug", "hammer", "banana")
EVIL = "<script>alert(1)</script> | pipe"


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> WishBenchmark:
    """Two scenes of each set; `ours` always takes the mug and refuses well, `theirs` always takes the hammer."""
    scenes = tmp_path_factory.mktemp("scenes")
    questions, stages = [], {}
    for objects in ("seen", "unseen"):
        for number in range(2):
            name = f"{number:06d}"
            stages[objects, name] = Stage(read_scene(draw_scene(scenes / objects / name, *NAMES)))
            for kind in (*KINDS, NOTHING, ANYTHING):
                target = Target(1, "mug", "handle" if kind.startswith("part") else None)
                targets = () if kind == NOTHING else (target,)
                questions.append(Question(objects, name, 3 + number, kind, f"{kind} {EVIL}", "f", targets))

    def records(answers) -> list[WishRecord]:
        return [record_of(q, answers(q), stages[q.objects, q.scene]) for q in questions]

    def ours(q: Question) -> Said:
        refuses = q.kind == NOTHING
        return Said(() if refuses else (grasp_on(1), grasp_on(2)), None if refuses else "mug", refuses, EVIL, 2.0)

    cases = [
        CaseRecord("an empty table", "x", "refusal", None, ""), CaseRecord("in capitals", "X", "answer", True, ""),
        CaseRecord("a trap", "x", "error: RuntimeError: no", None, ""), CaseRecord("odd", "x", "answer", False, ""),
    ]  # fmt: skip
    trials = [WishTrial(str(i), f"household/{i}", "w", True, i < 3, i < 2, None, ()) for i in range(4)]
    return WishBenchmark(
        WishBenchmarkConfig(), 2, scenes, tuple(questions),
        {
            "ours": {"note": "", "records": records(ours), "robustness": [asdict(c) for c in cases], "trials": trials},
            "oracle": {
                "note": "the labels", "records": records(lambda q: Said((grasp_on(2),), None, False, "", 0.1)),
                "robustness": None, "trials": [replace(trial, token=None) for trial in trials],
            },
        },
        ("grconvnet",),
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(done: WishBenchmark, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report")
    wishes_report(out, done, command="graspwise benchmark wishes --out REPORT")
    return out


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split(" | ")]


def test_the_report_says_first_that_the_data_is_not_theirs(folder):
    lines = (folder / "report.md").read_text().splitlines()
    assert lines[2].startswith("**Our data is not theirs**")
    table = lines[lines.index("### Seen objects, unseen wordings") + 2 :]
    head, _, first, explicit = (cells(line) for line in table[:4])
    assert first[0].endswith("data") and first[-1].startswith("not ours: GraspNet-1Billion")
    assert explicit[0].endswith("object explicit, n = 2")
    assert head[1:4] == ["ours", "oracle", "grconvnet"] and head[4] == "PUBLISHED: theirs, RGB"
    assert explicit[1:3] == ["100.0% (100.0 to 100.0)", "0.0% (0.0 to 0.0)"]
    # Blank, because it was not run.
    assert (explicit[3], first[3]) == ("", "ours, simulated") and explicit[4] == "64.49%"


def test_the_protocol_says_which_wording_is_in_training_too(folder):
    protocol = (folder / "report.md").read_text().splitlines()[4]
    assert (
        "for testing only, but for half of the wishes that name no target, which are `Pick up the object.`" in protocol
    )


def test_published_figures_stand_beside_the_seen_objects_alone(folder):
    text = (folder / "report.md").read_text()
    seen, unseen = text.split("### Unseen objects")
    for figure in ("63.55%", "69.16%", "86.92%", "83.18%", "28.88%", "0.92%"):
        assert figure in seen and figure not in unseen
    assert "39/40" in unseen and "16/40" in unseen and "Blank, because no GR-ConvNet was given: grconvnet." in text


def test_figures_of_report_json(folder):
    report = read_json(folder / "report.json")
    ours, labels = report["models"]["ours"], report["models"]["oracle"]
    assert report["reference"] == "ours" and report["date"] and report["config"]["seed"] == 0
    assert report["asked"]["seen"][NOTHING] == 2 and sum(report["asked"]["unseen"].values()) == 12
    assert ours["refusals"]["seen"]["recall"]["percent"] == 100
    assert (
        labels["minus"]["seen"] == {"points": 100.0, "ci95": [100.0, 100.0], "n": 8} and ours["minus"]["seen"] is None
    )
    assert ours["trials"]["executed"]["count"] == 2 and labels["trials"]["token"] is None
    assert labels["targets"]["seen"]["named"]["percent"] is None
    assert list(ours["by_things"]) == ["3", "4"]
    assert report["published"]["recall"]["theirs, RGB"]["r1"][0] == 64.49
    assert "records" not in ours


def test_bad_input_says_what_is_no_answer(folder):
    text = (folder / "report.md").read_text()
    assert "ours: 3 of 4." in text
    assert "| a trap | error: RuntimeError: no |" in text
    assert "| in capitals | answer, the right thing |" in text and "| odd | answer, another thing |" in text


def test_the_page_is_whole_and_takes_nothing_for_a_mark(folder):
    page = (folder / "report.html").read_text()
    reader = Reader(page)
    assert reader.open == [] and "<script" not in page
    pictures = [dict(attributes)["src"] for tag, attributes in reader.tags if tag == "img"]
    assert len(pictures) > 4
    for path in pictures:
        with Image.open(folder / path) as image:
            assert min(image.size) > 100
    assert (folder / "plots" / "things-dark.png").is_file()


def test_a_report_without_models_says_what_is_blank(done, tmp_path):
    report = wishes_report(tmp_path, replace(done, cells={}), command="c")
    text = "\n".join(wishes_lines(report))
    assert report["reference"] is None and "Robot trials" not in text and "Bad input" not in text
    assert "PUBLISHED: theirs, RGB" in text
