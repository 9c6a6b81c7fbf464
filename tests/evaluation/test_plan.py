"""What the benchmark's options ask for: cells in their order, budgets, and what a cell's result depends on."""

import json
from dataclasses import replace
from typing import Any

import pytest

from graspwise.errors import InputError
from graspwise.evaluation.plan import BenchmarkConfig, cell_config, cell_names, trained_as, training_samples

CONFIG = BenchmarkConfig(data="cornell")


def test_what_matters_most_comes_first():
    assert cell_names(CONFIG, has_depth=True) == [
        "centre", "random", "blob", "head", "lora-reasoned", "controls", "grconvnet", "naming-majority",
        "naming-nearest", "projector-reasoned", "projector-prompted", "projector-bare", "lora-prompted", "lora-bare",
    ]  # fmt: skip


def test_the_peer_with_depth_is_left_out_where_there_is_none():
    config = replace(CONFIG, models=("grconvnet-depth", "grconvnet"), strategies=())
    assert cell_names(config, has_depth=True) == ["grconvnet", "grconvnet-depth"]
    assert cell_names(config, has_depth=False) == ["grconvnet"]


def test_models_of_any_name_come_first_and_once():
    models = ("head", "small", "http://host/v1#m", "small")
    config = replace(CONFIG, models=models, strategies=("lora",), answers=("bare", "reasoned"))
    assert cell_names(config, has_depth=False) == ["small", "http://host/v1#m", "head", "lora-reasoned", "lora-bare"]


def test_controls_ask_the_main_cell_and_so_need_it():
    config = replace(CONFIG, models=("controls",), strategies=("lora",), answers=("bare",))
    assert cell_names(config, has_depth=False) == ["lora-bare"]
    assert trained_as("controls") == trained_as("lora-reasoned")
    assert training_samples(CONFIG, "controls") == training_samples(CONFIG, "lora-reasoned")


def test_nobody_is_trained_on_more_than_we_are():
    for config in (CONFIG, replace(CONFIG, budget_samples=640), replace(CONFIG, recipe="paper", models=("grconvnet",))):
        ours = [sum(training_samples(config, f"{strategy}-bare").values()) for strategy in ("lora", "projector")]
        assert training_samples(config, "grconvnet") == {"align": 0, "answers": max(ours)}
        assert config.peer_recipe.stage.samples == max(ours)
    assert training_samples(replace(CONFIG, peer_samples=7), "grconvnet-depth") == {"align": 0, "answers": 7}
    assert training_samples(replace(CONFIG, budget_samples=5), "lora-bare")["answers"] == 5
    assert training_samples(CONFIG, "head")["answers"] == 0 < training_samples(CONFIG, "head")["align"]
    for name in ("centre", "naming-majority", "naming-nearest", "small"):
        assert training_samples(CONFIG, name) == {"align": 0, "answers": 0}


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        ({"budget_samples": 5}, {"lora-bare", "grconvnet"}),
        ({"peer_samples": 5}, {"grconvnet"}),
        ({"base": "other"}, {"lora-bare", "head", "naming-nearest"}),
        ({"recipe": "tiny"}, {"lora-bare", "head", "grconvnet"}),
        ({"seed": 1}, {"lora-bare", "head", "grconvnet", "centre", "naming-majority", "naming-nearest"}),
        ({"answers": ("bare",), "run_folds": (1,), "models": (), "protocols": ("workspace",)}, set()),
    ],
)
def test_a_cell_depends_on_what_can_change_its_result(change: dict[str, Any], changed: set[str]):
    names = ("lora-bare", "head", "grconvnet", "centre", "naming-majority", "naming-nearest")
    other = replace(CONFIG, **change)
    assert {name for name in names if cell_config(CONFIG, name) != cell_config(other, name)} == changed
    json.dumps([cell_config(CONFIG, name) for name in names])


def test_names_of_trained_cells_are_read_back():
    assert trained_as("lora-bare") == ("lora", "bare")
    assert trained_as("projector-reasoned") == ("projector", "reasoned")
    for name in ("align-bare", "head", "lora", "lora-", "grconvnet", "runs/lora-bare"):
        assert trained_as(name) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"answers": ("sung",)}, "--answers has sung; valid: reasoned"),
        ({"strategies": ("align",)}, "--strategies has align"),
        ({"splits": ("shape",)}, "--splits has shape; valid: object, image, category"),
        ({"run_folds": (5,)}, "--run-folds has 5; valid: 0, 1, 2, 3, 4"),
        ({"protocols": ("centred",)}, "--protocols is 'centred'; valid: workspace"),
        ({"protocols": ("workspace", "left")}, "--protocols has left"),
        ({"peer_samples": 0}, "--peer-samples is 0"),
        ({"budget_samples": 0, "models": ()}, "--budget-samples is 0"),
        ({"recipe": "huge", "models": ()}, "recipe 'huge'"),
        ({"recipe": "paper"}, "--models has head; recipe paper trains no dense head"),
    ],
)
def test_bad_options_are_refused_before_anything_is_done(change: dict[str, Any], message: str):
    with pytest.raises(InputError, match=message):
        replace(CONFIG, **change)
