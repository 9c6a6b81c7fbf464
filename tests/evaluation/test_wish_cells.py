"""A model's cells: gone on with by the same model alone, and a damaged one is said to be so in one line."""

from pathlib import Path

import pytest
from wish_drawn import Says, draw_scene, grasp_on

from graspwise.data.wish_facts import Target
from graspwise.errors import InputError
from graspwise.evaluation import wish_cells
from graspwise.evaluation.wish_baselines import ModelAsker
from graspwise.evaluation.wish_cells import ModelRun
from graspwise.evaluation.wish_questions import Question
from graspwise.evaluation.wish_trials import WishTrial
from graspwise.files import read_json, write_json
from graspwise.predict import Model

QUESTIONS = [
    Question("unseen", f"00000{i}", 2, "object implicit", "I am thirsty.", "f", (Target(1, "mug", None),))
    for i in range(2)
]


class Bench:
    """A folder of two scenes, and runs of a model that always answers the same."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.note, self.told = folder, "by the encoder", 0
        for question in QUESTIONS:
            draw_scene(folder / "scenes" / question.place, "mug", "hammer", owner="household")

    def run(self, model: str = "says", *, grconvnet: str = "") -> ModelRun:
        return ModelRun(model, Path(model).name, self.folder, self.folder / "scenes", 3, None, grconvnet, print)

    def open_asker(self, name, *, grconvnet, say):
        self.told += 1
        return ModelAsker(Model(Says(grasp_on(1), target="mug")), note=self.note)

    def ask(self, count: int = 2, model: str = "says", **given):
        return self.run(model, **given).wishes(QUESTIONS[:count], bar=lambda stream, total, title: stream)

    def carry(self) -> list[WishTrial]:
        _, records = self.ask()
        return self.run().trials(QUESTIONS, records, workers=1, ray="", bar=lambda stream, total, title: stream)


@pytest.fixture
def bench(tmp_path, monkeypatch):
    made = Bench(tmp_path / "report")
    monkeypatch.setattr(wish_cells, "open_asker", made.open_asker)
    monkeypatch.setattr(
        wish_cells,
        "run_wish_trials",
        lambda questions, *args, **given: [
            WishTrial(q.scene, "household/mug-00", q.text, True, True, False, "slipped", ("body",)) for q in questions
        ],
    )
    return made


def model_folder(path: Path, weights: str) -> str:
    (path / "model").mkdir(parents=True, exist_ok=True)
    write_json(path / "model" / "graspwise.json", {"base": "small-base"})
    (path / "model" / "maps.safetensors").write_text(weights)
    return str(path)


def test_what_is_there_is_not_asked_again_and_comes_back_the_same(bench):
    note, first = bench.ask()
    assert (note, [r.scene for r in first], bench.told) == ("by the encoder", ["000000", "000001"], 1)
    assert bench.ask() == (note, first) and bench.told == 1
    assert bench.carry() == bench.carry() and len(bench.carry()) == 2


def test_a_retrained_model_does_not_go_on_with_the_old_ones_answers(bench, tmp_path):
    run = model_folder(tmp_path / "run", "old")
    bench.ask(model=run)
    assert bench.ask(model=run) and bench.told == 1
    model_folder(tmp_path / "run", "new")
    with pytest.raises(InputError, match=r"wishes-3-run\.json: made with another weights; give a new --out") as caught:
        bench.ask(model=run)
    assert "\n" not in str(caught.value)
    peer = model_folder(tmp_path / "peer", "old")
    bench.ask(model="grconvnet", grconvnet=peer)
    model_folder(tmp_path / "peer", "new")
    with pytest.raises(InputError, match="made with another weights"):
        bench.ask(model="grconvnet", grconvnet=peer)


def test_one_report_has_one_way_of_choosing_names(bench):
    bench.ask(1)
    bench.note = "by the language model"
    # Nothing is asked, so nothing is mixed.
    assert bench.ask(1)[0] == "by the encoder"
    with pytest.raises(InputError, match=r"wishes-3-says\.json: made with another note"):
        bench.ask(2)


@pytest.mark.parametrize(
    ("kind", "damage"),
    [
        ("wishes", lambda cell: {**cell, "records": [{**row, "colour": 1} for row in cell["records"]]}),
        ("wishes", lambda cell: {**cell, "records": [{"scene": row["scene"]} for row in cell["records"]]}),
        ("wishes", lambda cell: {**cell, "records": [{**row, "grasps": None} for row in cell["records"]]}),
        ("wishes", lambda cell: {**cell, "records": None}),
        ("wishes", lambda cell: {**cell, "records": ["text"]}),
        ("wishes", lambda cell: {key: value for key, value in cell.items() if key != "records"}),
        ("wishes", lambda cell: [cell]),
        # As it was before objects were written.
        ("trials", lambda cell: {**cell, "trials": [without(row, "object_id") for row in cell["trials"]]}),
        ("trials", lambda cell: {**cell, "trials": [without(row, "parts") for row in cell["trials"]]}),
        ("robustness", lambda cell: {**cell, "cases": [{"name": "x"}]}),
        ("robustness", lambda cell: without(cell, "cases")),
    ],
)
def test_a_damaged_or_older_cell_is_one_line(bench, kind, damage):
    bench.carry()
    bench.run().robustness(QUESTIONS)
    path = bench.folder / "cells" / f"{kind}-3-says.json"
    write_json(path, damage(read_json(path)))
    with pytest.raises(InputError, match="remove that file") as caught:
        bench.carry()
        bench.run().robustness(QUESTIONS)
    assert path.name in str(caught.value) and "\n" not in str(caught.value)


def without(row: dict, name: str) -> dict:
    return {key: value for key, value in row.items() if key != name}
