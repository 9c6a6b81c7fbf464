"""The whole benchmark on drawn scenes: the same wishes for all, nothing done twice, bad input refused at once."""

from dataclasses import replace
from pathlib import Path

import pytest
from wish_drawn import Says, draw_scene, grasp_on

from graspwise.data import sim
from graspwise.data.sim import SimConfig
from graspwise.errors import InputError
from graspwise.evaluation import wish_baselines, wish_benchmark, wish_cells
from graspwise.evaluation.wish_benchmark import WishBenchmarkConfig, run_wishes
from graspwise.evaluation.wish_trials import WishTrial
from graspwise.files import read_json, write_json
from graspwise.predict import Model

CONFIG = WishBenchmarkConfig(fewest=2, most=3, seed=4)
SCENES = (("mug", "screwdriver", "banana"), ("hammer", "mug"), ("scissors", "banana", "bottle"))


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, SimConfig]]:
    """Scenes are drawn, not simulated, and so are trials; what scenes were asked for."""
    asked: list[tuple[str, SimConfig]] = []

    def make(config: SimConfig, folder: Path, *, sets, workers, ray, progress):
        asked.append((folder.name, config))
        for number in range(config.scenes):
            target = folder / f"{number:06d}"
            if not target.is_dir():
                draw_scene(target, *SCENES[number], owner=sets[0])

    def carry(questions, records, scenes, **given):
        return [
            WishTrial(q.scene, "household/mug-00", q.text, given["names_targets"] or None, True, False, "slipped", ())
            for q in questions
        ]

    monkeypatch.setattr(wish_benchmark, "make_scenes", make)
    monkeypatch.setattr(wish_cells, "run_wish_trials", carry)
    return asked


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> dict[str, Says]:
    """Models by name; each is asked for once."""
    found = {"first": Says(grasp_on(1), target="mug"), "second": Says(grasp_on(2))}
    loaded = dict(found)
    monkeypatch.setattr(wish_baselines, "load", lambda name, *, say: Model(loaded.pop(name)))
    return found


def run(out: Path, *models: str, count: int = 2, **given):
    return run_wishes(given.pop("config", CONFIG), models, out, count=count, workers=1, **given)


def test_all_models_are_asked_the_same(drawn, models, tmp_path):
    done = run(tmp_path / "r", "first", "second", "oracle", trials=1)
    wishes = [q.text for q in done.questions]
    assert models["first"].asked[: len(wishes)] == models["second"].asked[: len(wishes)] == wishes
    for name, cell in done.cells.items():
        assert [(row.scene, row.kind, row.wish) for row in cell["records"]] == [
            (q.scene, q.kind, q.text) for q in done.questions
        ], name
    assert {q.objects for q in done.questions} == {"seen", "unseen"}
    # Bad input is for models that see the picture alone; trials are for all.
    assert [cell["robustness"] is None for cell in done.cells.values()] == [False, False, True]
    assert [len(cell["trials"]) for cell in done.cells.values()] == [1, 1, 1]
    assert all(row.hit_first for row in done.cells["oracle"]["records"] if row.hit_first is not None)


def test_scenes_are_of_their_sets_and_no_training_data_has_their_seeds(drawn, models, tmp_path):
    run(tmp_path / "r", "first")
    (seen, first), (unseen, second) = drawn
    assert (seen, first.objects, unseen, second.objects) == ("seen", ("train",), "unseen", ("household",))
    assert (first.scenes, first.fewest, first.most) == (2, 2, 3)
    assert len({first.seed, second.seed, CONFIG.seed}) == 3
    assert replace(CONFIG, seed=5).scenes("seen", 2).seed != first.seed


def test_a_second_run_asks_only_what_is_new(drawn, models, tmp_path):
    before = run(tmp_path / "r", "first", count=1)
    told = len(models["first"].asked)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "r" / "cells").iterdir()}
    again = run(tmp_path / "r", "first", count=1)
    assert again.cells == before.cells and len(models["first"].asked) == told
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    # A scene more: only that is asked, of a model that is loaded once more.
    models_again = Says(grasp_on(1), target="mug")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wish_baselines, "load", lambda name, *, say: Model(models_again))
        more = run(tmp_path / "r", "first", count=2)
    new = [q.text for q in more.questions if q.scene == "000001"]
    assert models_again.asked == new
    assert len(more.cells["first"]["records"]) == len(before.cells["first"]["records"]) + len(new)


def test_what_was_asked_is_kept_when_it_stops(drawn, models, tmp_path):
    class Stops(Says):
        def respond(self, pictures, conversations):
            if len(self.asked) == 8:
                raise KeyboardInterrupt
            return super().respond(pictures, conversations)

    stops = Stops(grasp_on(1), target="mug")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wish_baselines, "load", lambda name, *, say: Model(stops))
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "r", "first")
    first = len([row for row in read_json(tmp_path / "r" / "questions.json") if row["scene"] == "000000"]) // 2
    assert len(read_json(tmp_path / "r" / "cells" / "wishes-4-first.json")["records"]) >= first > 0
    done = run(tmp_path / "r", "first")
    assert len(done.cells["first"]["records"]) == len(done.questions)
    assert len({(row.place, row.kind) for row in done.cells["first"]["records"]}) == len(done.questions)


def test_two_reports_share_their_scenes(drawn, models, tmp_path):
    run(tmp_path / "a", "first", scenes=tmp_path / "scenes")
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "scenes").rglob("*.png")}
    done = run(tmp_path / "b", "second", scenes=tmp_path / "scenes")
    assert done.scenes == tmp_path / "scenes" and not (tmp_path / "b" / "scenes").exists()
    assert {path: path.stat().st_mtime_ns for path in made} == made
    with pytest.raises(InputError, match="begun with another"):
        run(tmp_path / "c", "oracle", scenes=tmp_path / "scenes", config=replace(CONFIG, seed=9))


def test_without_a_grconvnet_its_rows_are_blank(drawn, models, tmp_path):
    said = []
    done = run(tmp_path / "r", "first", "name-first", "grconvnet", "oracle+grconvnet", say=said.append)
    assert done.blank == ("name-first", "grconvnet", "oracle+grconvnet") and list(done.cells) == ["first"]
    assert "name-first: left out, because there is no --grconvnet" in said


@pytest.mark.parametrize(
    ("models_given", "given", "message"),
    [
        ((), {}, "--models is empty"),
        (("oracle", "oracle"), {}, "stands there twice"),
        (("oracle",), {"count": 0}, "--count is 0; valid is 1 or more"),
        (("oracle",), {"trials": -1}, "--trials is -1; valid is 0 or more"),
        (("oracle",), {"config": replace(CONFIG, seed=-1)}, "--seed is -1; valid is 0 or more"),
        (("oracle",), {"config": replace(CONFIG, fewest=3, most=2)}, "--clutter is 3-2"),
        (("oracle",), {"config": replace(CONFIG, most=13)}, "--clutter is 2-13"),
        (("oracle",), {"config": replace(CONFIG, candidates=0)}, "--candidates is 0"),
        (("oracle",), {"config": replace(CONFIG, tries=0)}, "--tries is 0"),
        (("oracle",), {"grconvnet": "nowhere"}, "--grconvnet nowhere: holds no GR-ConvNet"),
    ],
)
def test_bad_values_are_refused_before_the_first_file(drawn, tmp_path, models_given, given, message):
    with pytest.raises(InputError, match=message):
        run(tmp_path / "r", *models_given, **given)
    assert not (tmp_path / "r").exists() and not drawn


def test_other_folders_and_other_seeds_are_refused(drawn, models, tmp_path):
    write_json(tmp_path / "other" / "file.json", 1)
    with pytest.raises(InputError, match="was not begun by this benchmark"):
        run(tmp_path / "other", "first")
    run(tmp_path / "r", "first")
    with pytest.raises(InputError, match="begun with another seed"):
        run(tmp_path / "r", "first", config=replace(CONFIG, seed=5))


def test_answers_without_a_plate_get_the_median_of_the_labels(drawn, models, tmp_path):
    models["first"].response = replace(models["first"].response, grasp=replace(grasp_on(1), jaw=None))
    done = run(tmp_path / "r", "first", "second")
    # The drawn labels' plates are 8 pixels of 96; what has one keeps it.
    assert {row.grasps[0]["jaw"] for row in done.cells["first"]["records"]} == {0.0833}
    assert {row.grasps[0]["jaw"] for row in done.cells["second"]["records"]} == {round(8 / 96, 5)}


def test_scenes_with_nothing_in_view_are_refused_before_a_model_is_loaded(models, tmp_path, monkeypatch):
    def make(config, folder, **given):
        for number in range(config.scenes):
            draw_scene(folder / f"{number:06d}")

    monkeypatch.setattr(wish_benchmark, "make_scenes", make)
    with pytest.raises(InputError, match="found nothing in view in 2 scenes; valid are more scenes"):
        run(tmp_path / "r", "first", count=1)
    assert models["first"].asked == []


def test_too_many_trials_say_how_many_there_are(drawn, models, tmp_path):
    with pytest.raises(InputError, match=r"--trials is 9; found \d household scenes"):
        run(tmp_path / "r", "first", trials=9)
    assert models["first"].asked == []


def test_household_things_are_for_whoever_asks_for_them_and_never_for_training():
    config = SimConfig(objects=("household",), scenes=1)
    with pytest.raises(InputError, match="the set household is not for this"):
        sim.check(config)
    sim.check(config, sets=("household",))
    with pytest.raises(InputError, match="the set train is not for this"):
        sim.check(replace(config, objects=("train",)), sets=("household",))
