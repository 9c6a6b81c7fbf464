"""What a run will take, counted before it starts."""

import json
from pathlib import Path

import pytest

from graspwise.model.grasp_model import GraspModel
from graspwise.model.load import load_model
from graspwise.train import estimate as estimating
from graspwise.train.estimate import Estimate, Forecast, activation_bytes, count, duration, estimate, size
from graspwise.train.loop import Progress
from graspwise.train.recipe import RECIPES, TrainConfig, recipe_named
from graspwise.train.run import add_lora, lora_parameters, wanted_stages
from graspwise.train.trial import shortened


@pytest.fixture(scope="module")
def model(tiny_checkpoint: Path) -> GraspModel:
    return load_model(str(tiny_checkpoint), merged=False)


def config(**options) -> TrainConfig:
    return TrainConfig(data=("data",), base="base", **{"strategy": "lora", "recipe": recipe_named("tiny"), **options})


def test_what_learns_is_counted_right(model: GraspModel):
    ahead = wanted_stages(model, config())
    assert list(ahead) == ["maps", "words", "captions", "answers"]
    found = estimate(model, config(), ahead)
    projector = sum(p.numel() for p in model.vlm.model.multi_modal_projector.parameters())
    add_lora(model, config().recipe)
    lora = sum(p.numel() for p in lora_parameters(model).values())
    # Once it is there, it is counted as it is.
    assert estimate(model, config(), ahead).trained == found.trained
    assert found.trained["words"] == projector
    assert found.trained["answers"] == projector + lora
    assert found.learning == 16 * max(found.trained.values())
    assert found.memory == found.weights + found.learning + found.activations
    assert found.weights == 2 * found.parameters


def test_memory_follows_the_choices(model: GraspModel):
    stage = recipe_named("paper").lora
    paper = {"recipe": recipe_named("paper")}
    plain = activation_bytes(model, config(**paper), stage)
    assert activation_bytes(model, config(**paper, dtype="fp32"), stage) > 1.4 * plain
    assert activation_bytes(model, config(**paper, gradient_checkpointing=True), stage) < plain
    halved = recipe_named("paper").in_parts(2).lora
    assert activation_bytes(model, config(**paper), halved) == pytest.approx(plain / 2, rel=0.01)


def test_forecast_tells_the_time_after_a_few_steps(
    model: GraspModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([100.0, 103.0, 106.0, 109.0, 112.0, 115.0])
    monkeypatch.setattr(estimating.time, "monotonic", lambda: next(clock))
    stage, said, passed = recipe_named("tiny").lora, [], []
    expected = Estimate(10, {"answers": 5}, 20, 80, 7, 100)
    forecast = Forecast(tmp_path, expected, {"answers": stage}, report=passed.append, say=said.append)
    forecast.begin()
    assert json.loads((tmp_path / "estimate.json").read_text())["stages"]["answers"]["seconds"] is None
    for step in range(3, 9):
        forecast.report(Progress("answers", step, 100, 1.0))
    # A resumed stage begins anywhere; 3 s a step of 4 samples, 94 steps left after the sixth.
    assert said[-1] == "stage answers: about 5 min left, 0.75 s a sample"
    assert len(passed) == 6
    found = json.loads((tmp_path / "estimate.json").read_text())
    assert found["stages"]["answers"] == {"samples": 12, "seconds": 9.0}
    assert found["memory_bytes"]["together"] == 107 and found["peak_memory_bytes"] > 1e7


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("processes", [1, 4])
def test_a_trial_has_a_few_steps_of_one_micro_batch_a_process(name: str, processes: int):
    recipe = recipe_named(name)
    short = shortened(recipe, processes)
    assert short.lora.batch == recipe.lora.micro_batch * processes and short.lora.micro_batch == recipe.lora.micro_batch
    assert short.lora.samples == 4 * short.lora.batch
    assert (short.captions.samples == 0) == (recipe.captions.samples == 0)


def test_figures_are_said_as_one_reads_them():
    assert (size(14_130_000_000), size(2_100_000)) == ("14.1 GB", "2.1 MB")
    assert (count(7_060_000_000), count(159_900_000)) == ("7.06 G", "159.90 M")
    assert (duration(16.2), duration(600), duration(26_000)) == ("16 s", "10 min", "7 h 13 min")
