"""Trials of models in simulation: the same scenes for all, nothing done twice, bad input refused at once."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import graspwise.predict
from graspwise.conversation import text_of
from graspwise.errors import InputError
from graspwise.evaluation.trials import Trial, TrialConfig, instruction_for, run_trials, scene_names
from graspwise.evaluation.trials_report import trials_report
from graspwise.files import read_json
from graspwise.grasp import Grasp
from graspwise.model.responder import Response
from graspwise.predict import Model, answer_together
from graspwise.sim import antipodal, catalogue, film, scene, trial
from graspwise.sim.shapes import Paint, SimObject, box, part

CONFIG = TrialConfig(objects=("household:block",), poses=1, seed=3)
BLOCK = SimObject("block", "block", "red block", (part("body", box((0.09, 0.03, 0.03), Paint((0.7, 0.1, 0.1)))),), 0.15)
SCENE = "household-block-0"


@pytest.fixture(scope="module", autouse=True)
def block() -> Iterator[None]:
    """A household of one thing more, easy to hold and away from the middle; fewer samples and frames than usual."""
    real = scene.place

    def aside(things: list[SimObject], rng: np.random.Generator) -> list:
        return [(thing, np.array([0.09, 0.06, 0.016]), turn) for thing, _, turn in real(things, rng)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scene, "place", aside)
        patch.setitem(catalogue.HOUSEHOLD, "block", BLOCK)
        patch.setattr(antipodal, "SAMPLES", 300)
        patch.setattr(film, "EVERY", 2.0)
        yield


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[Trial]]]:
    """The report folder of two models, and their trials."""
    out = tmp_path_factory.mktemp("trials") / "report"
    return out, run_trials(CONFIG, ["oracle", "centre"], out, workers=1)


@pytest.fixture(scope="module")
def second(first: tuple[Path, dict[str, list[Trial]]]) -> dict[str, object]:
    """The same folder with one model more, filmed: what was there before, what was tried, and all trials."""
    out, _ = first
    kept = {path: path.stat().st_mtime_ns for path in sorted(out.rglob("*")) if path.is_file()}
    tried: list[Grasp | None] = []
    real = trial.try_grasp
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trial, "try_grasp", lambda *args, **given: tried.append(args[2]) or real(*args, **given))
        trials = run_trials(CONFIG, ["oracle", "centre", "random"], out, film=True, workers=1)
    return {"kept": kept, "tried": tried, "trials": trials}


def test_each_model_is_tried_with_both_grippers(first: tuple[Path, dict[str, list[Trial]]]) -> None:
    _, trials = first
    assert list(trials) == ["oracle", "centre"]
    for rows in trials.values():
        assert [row.setting for row in rows] == ["any", "narrow"]
        for row in rows:
            assert (row.scene, row.object_id, row.category) == (SCENE, "household/block", "block")
            assert row.lifted == (row.cause is None)
            assert row.allowed <= row.lifted


def test_known_grasps_lift_again_and_the_pictures_centre_does_not(first: tuple[Path, dict[str, list[Trial]]]) -> None:
    _, trials = first
    assert all(row.lifted and row.allowed and row.parts == ("body",) for row in trials["oracle"])
    for row in trials["centre"]:
        assert (row.grasp["x"], row.grasp["y"]) == pytest.approx((0.5, 0.5))
        assert not row.lifted and row.parts == ()
    assert [row.cause for row in trials["centre"]] == ["missed", "missed"]


def test_a_report_folder_holds_scenes_answers_and_trials(first: tuple[Path, dict[str, list[Trial]]]) -> None:
    out, trials = first
    assert read_json(out / "config.json") == {**asdict(CONFIG), "objects": ["household:block"]}
    assert {path.name for path in (out / "scenes" / SCENE).iterdir()} == {
        "rgb.png", "depth.png", "objects.png", "parts.png", "camera.yaml", "scene.json", "grasps.json",
    }  # fmt: skip
    answers = read_json(out / "answers" / "centre.json")
    assert [(row["scene"], row["setting"]) for row in answers] == [(SCENE, "any"), (SCENE, "narrow")]
    assert all(row["seconds"] >= 0 for row in answers)
    rows = read_json(out / "trials" / f"{SCENE}.json")
    assert rows == {name: json.loads(json.dumps([asdict(row) for row in done])) for name, done in trials.items()}


def test_the_narrow_grippers_known_grasp_is_narrow(first: tuple[Path, dict[str, list[Trial]]]) -> None:
    out, _ = first
    grasps = read_json(out / "scenes" / SCENE / "grasps.json")["grasps"]
    scale = 400 * 0.44 / 400
    assert grasps["oracle"]["narrow"]["opening"] * scale <= CONFIG.narrow * 1.06
    objects = np.asarray(Image.open(out / "scenes" / SCENE / "objects.png"))
    x, y = Grasp(**grasps["random"]["any"]).pixel(image_size=objects.shape[::-1])
    assert objects[round(y), round(x)] == 1
    assert grasps["random"]["any"] == grasps["random"]["narrow"]


def test_a_second_run_with_one_model_more_runs_only_that(first, second) -> None:
    out, before = first
    for path, changed in second["kept"].items():
        # The scene's trials gained a model; the configuration is the same.
        if path.parent.name != "trials" and path.name != "config.json":
            assert path.stat().st_mtime_ns == changed, path
    known = read_json(out / "scenes" / SCENE / "grasps.json")["grasps"]["random"]
    assert second["tried"] == [Grasp(**known["any"]), Grasp(**known["narrow"])]
    after = second["trials"]
    assert list(after) == ["oracle", "centre", "random"]
    assert {name: after[name] for name in before} == before
    assert set(read_json(out / "trials" / f"{SCENE}.json")) == {"oracle", "centre", "random"}


def test_a_third_run_does_nothing(first, second, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("done again")

    out, _ = first
    for place in ("graspwise.sim.scene.compose", "graspwise.predict.load", "graspwise.sim.trial.try_grasp"):
        monkeypatch.setattr(place, never)
    assert run_trials(CONFIG, ["oracle", "centre", "random"], out, workers=1) == second["trials"]


def test_a_film_is_a_strip_and_an_animation(first, second) -> None:
    out, _ = first
    films = out / "films"
    assert sorted(path.relative_to(films).as_posix() for path in films.rglob("*") if path.is_file()) == [
        f"random/{SCENE}.png", f"random/{SCENE}.webp",
    ]  # fmt: skip
    with Image.open(films / "random" / f"{SCENE}.webp") as animation:
        assert animation.n_frames >= 1


def test_its_report_has_the_keys_of_the_conventions(first, second) -> None:
    out, _ = first
    trials_report(out, second["trials"], config=CONFIG, command="graspwise benchmark sim")
    report = read_json(out / "report.json")
    assert set(report["models"]) == {"oracle", "centre", "random"}
    oracle = report["models"]["oracle"]
    assert (oracle["lifted"], oracle["trials"], oracle["rate"], oracle["ci95"]) == (1, 1, 1.0, [1.0, 1.0])
    assert oracle["allowed_part"] == {"lifted": 1, "trials": 1, "rate": 1.0, "ci95": [1.0, 1.0]}
    assert report["models"]["centre"]["causes"] == {"missed": 1}
    assert report["models"]["centre"]["seconds_median"] >= 0 and oracle["seconds_median"] is None


class Talker:
    """A responder that closes in the middle of what it sees and keeps what it was asked."""

    name, image_size, answer_format, mode, takes_depth = "talker", 64, "bare", "plain", False

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.depths: list[np.ndarray | None] = []

    def respond(self, pictures, conversations):
        time.sleep(0.02)
        self.depths += [picture.depth for picture in pictures]
        self.asked += [text_of(conversation[-1]) for conversation in conversations]
        grasps = [Grasp(x=0.5, y=0.5, theta=0.1 * len(text), opening=0.2) for text in self.asked[-len(pictures) :]]
        return [
            Response("", f"I see {picture.rgb[0, 0, 0]}.", grasp)
            for picture, grasp in zip(pictures, grasps, strict=True)
        ]


def test_a_model_is_told_how_far_the_gripper_opens(first, monkeypatch: pytest.MonkeyPatch) -> None:
    out, _ = first
    talker, said = Talker(), []
    monkeypatch.setattr(graspwise.predict, "load", lambda name, *, say: Model(talker))
    run_trials(CONFIG, ["talker"], out, workers=1, say=said.append)
    assert talker.asked == ["Pick up the block.", "Pick up the block. My gripper opens 40 mm."]
    assert said == ["model talker"]
    rows = read_json(out / "answers" / "talker.json")
    assert all(row["reasoning"].startswith("I see ") for row in rows)
    assert rows[0]["grasp"]["theta"] != rows[1]["grasp"]["theta"]
    assert talker.depths == [None, None]


def test_a_model_that_takes_depth_gets_the_scenes(first, monkeypatch: pytest.MonkeyPatch) -> None:
    out, _ = first
    talker = Talker()
    talker.takes_depth = True
    monkeypatch.setattr(graspwise.predict, "load", lambda name, *, say: Model(talker))
    run_trials(CONFIG, ["deep"], out, workers=1)
    stored = np.asarray(Image.open(out / "scenes" / SCENE / "depth.png"))
    assert len(talker.depths) == 2
    for seen in talker.depths:
        assert seen.shape == (64, 64)
        assert np.nanmedian(seen) * 1000 == pytest.approx(np.median(stored), abs=2)
        # The block stands 30 mm above the table.
        assert np.nanmin(seen) * 1000 == pytest.approx(int(stored.min()), abs=3)


@pytest.mark.parametrize(
    ("setting", "narrow", "text"),
    [
        ("any", 0.04, "Pick up the hammer."),
        ("narrow", 0.04, "Pick up the hammer. My gripper opens 40 mm."),
        ("narrow", 0.025, "Pick up the hammer. My gripper opens 25 mm."),
    ],
)
def test_what_a_model_is_asked(setting, narrow: float, text: str) -> None:
    assert instruction_for("hammer", setting, replace(CONFIG, narrow=narrow)) == text


def test_answers_to_several_views_are_each_views_own() -> None:
    talker = Talker()
    model = Model(talker)
    views = [model.look(np.full((40, side, 3), side, np.uint8)) for side in (24, 48)]
    turn = [[{"role": "user", "content": [{"type": "text", "text": text}]}] for text in ("one", "three")]
    started = time.perf_counter()
    first, second = answer_together(views, turn)
    elapsed = time.perf_counter() - started
    assert talker.asked == ["one", "three"]
    assert (first.image_size, second.image_size) == ((24, 40), (48, 40))
    assert (first.grasp.theta, second.grasp.theta) == pytest.approx((0.3, 0.5))
    # Shared evenly.
    assert 0.02 <= first.seconds + second.seconds <= elapsed
    assert first.seconds == second.seconds
    assert views[1].answer(turn[1]).grasp == second.grasp


def test_scenes_are_named_by_object_and_pose() -> None:
    config = TrialConfig(objects=("household:block", "train:mug"), poses=2)
    assert scene_names(config) == ["household-block-0", "household-block-1", "train-mug-0", "train-mug-1"]


def test_an_object_named_twice_is_one_object() -> None:
    assert scene_names(TrialConfig(objects=("block", "household:block"), poses=1)) == [SCENE]


@pytest.mark.parametrize(
    ("changes", "models", "message"),
    [
        ({"objects": ("unicorn",)}, ["oracle"], "unicorn: there is none of that name"),
        ({"objects": ()}, ["oracle"], "--objects is empty"),
        ({"poses": 0}, ["oracle"], "--poses is 0; valid is 1 or more"),
        ({"seed": -1}, ["oracle"], "--seed is -1"),
        ({"robot": "panda", "panda_model": "no.xml"}, ["oracle"], "no.xml"),
        ({}, [], "--models is empty"),
        ({}, ["oracle", "oracle"], "oracle stands there twice"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    changes: dict, models: list[str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        run_trials(replace(CONFIG, **changes), models, tmp_path / "report", workers=1)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize(("changes", "names"), [({"poses": 2}, "poses"), ({"seed": 1, "narrow": 0.03}, "narrow, seed")])
def test_a_folder_of_another_configuration_is_refused(changes: dict, names: str, first) -> None:
    with pytest.raises(InputError, match=f"begun with another {names}; give the same, or a new --out"):
        run_trials(replace(CONFIG, **changes), ["oracle"], first[0], workers=1)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(InputError, match="is not empty and was not begun by this benchmark"):
        run_trials(CONFIG, ["oracle"], tmp_path, workers=1)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_model_that_cannot_be_had_leaves_no_answers(first, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str, *, say: object) -> None:
        raise InputError(f"{name}: there is no such model")

    monkeypatch.setattr(graspwise.predict, "load", load)
    with pytest.raises(InputError, match="smol: there is no such model"):
        run_trials(CONFIG, ["smol"], first[0], workers=1)
    assert not (first[0] / "answers" / "smol.json").exists()
