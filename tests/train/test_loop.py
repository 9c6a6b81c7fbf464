"""The training loop: schedule, budget, and that stopping and resuming changes nothing."""

import json
from dataclasses import replace

import pytest
import torch
from torch import nn

from graspwise.errors import InputError
from graspwise.train.loop import Progress, check_share, fit, one_cycle
from graspwise.train.processes import Processes
from graspwise.train.recipe import RECIPES, Stage, recipe_named


class Line:
    """y = 2x, learned from positions; records the positions it was given."""

    name = "line"

    def __init__(self) -> None:
        self.weight = nn.Parameter(torch.zeros(1))
        self.positions: list[int] = []

    def parameters(self):
        return {"weight": self.weight}

    def rate(self, parameter):
        return 1.0

    def prepare(self, positions):
        return positions

    def loss(self, positions):
        self.positions += list(positions)
        x = torch.tensor([p % 7 - 3.0 for p in positions])
        return ((self.weight * x - 2 * x) ** 2).mean()

    def watch(self):
        return {"accuracy": 1.0}


STAGE = Stage(samples=40, batch=8, micro_batch=3, learning_rate=0.5)


def test_budget_is_used_once_and_in_order(tmp_path):
    task, seen = Line(), []
    fit(task, STAGE, folder=tmp_path, seed=0, watch=2, report=seen.append)
    assert task.positions == list(range(40))
    assert [p.step for p in seen] == [1, 2, 3, 4, 5]
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["samples"] for line in lines] == [8, 16, 24, 32, 40]
    assert [("accuracy" in line) for line in lines] == [False, True, False, False, True]
    assert lines[-1]["loss"] < lines[0]["loss"]


def test_resumed_run_is_the_unbroken_run(tmp_path):
    whole, first, second = Line(), Line(), Line()
    fit(whole, STAGE, folder=tmp_path / "whole", seed=0, watch=0, report=lambda p: None)

    class Stop(Exception):
        pass

    def stop_after_two(progress: Progress) -> None:
        if progress.step == 3:
            raise Stop

    import graspwise.train.loop as loop

    before, loop.SAVE_EVERY_SECONDS = loop.SAVE_EVERY_SECONDS, -1.0
    try:
        with pytest.raises(Stop):
            fit(first, STAGE, folder=tmp_path / "broken", seed=0, watch=0, report=stop_after_two)
    finally:
        loop.SAVE_EVERY_SECONDS = before
    fit(second, STAGE, folder=tmp_path / "broken", seed=0, watch=0, report=lambda p: None)
    assert second.positions[0] == 16
    assert torch.equal(second.weight, whole.weight)
    steps = [json.loads(line)["step"] for line in (tmp_path / "broken" / "metrics.jsonl").read_text().splitlines()]
    assert steps == [1, 2, 3, 4, 5]


def test_schedule_rises_then_falls_to_zero():
    rates = [one_cycle(step, steps=50, warmup=0.1) for step in range(50)]
    assert rates[4] == 1.0 == max(rates)
    assert rates[0] < rates[4] > rates[10] > rates[-1]
    assert 0 < rates[-1] < 0.01
    assert one_cycle(0, steps=1, warmup=0.1) == 1.0


@pytest.mark.parametrize("name", RECIPES)
def test_shipped_recipes_are_sound(name):
    recipe = recipe_named(name)
    for stage in (recipe.maps, recipe.words, recipe.captions, recipe.projector, recipe.lora):
        assert stage.samples >= 0 and 0 < stage.micro_batch <= stage.batch and 0 < stage.learning_rate < 0.1
    assert recipe.scaled(100).lora.samples == 100
    assert recipe.scaled(None) == recipe


@pytest.mark.parametrize(("name", "cards"), [("llava-7b-1x80gb", 1), ("llava-7b-8x80gb", 8)])
def test_recipes_for_llava_have_the_papers_numbers_and_suit_their_cards(name, cards):
    recipe, paper = recipe_named(name), recipe_named("paper")
    for stage in ("projector", "lora"):
        own, theirs = getattr(recipe, stage), getattr(paper, stage)
        assert replace(own, micro_batch=theirs.micro_batch) == theirs
        check_share(stage, own, Processes(0, cards))
    assert (recipe.lora_rank, recipe.lora_alpha, recipe.proposals) == (64, 32, 0)


def test_smaller_micro_batches_leave_the_batch_alone():
    small = recipe_named("small")
    parts = small.in_parts(8)
    assert (parts.maps.micro_batch, parts.spt.micro_batch, parts.lora.batch) == (8, 8, small.lora.batch)
    assert small.in_parts(None) == small
    with pytest.raises(InputError, match="--micro-batch is 0; valid is 1 or more"):
        small.in_parts(0)


def test_paper_recipe_has_the_papers_hyper_parameters():
    """RT-Grasp, section V-A.1."""
    paper = recipe_named("paper")
    assert (paper.lora_rank, paper.lora_alpha, paper.projector_act) == (64, 32, "linear")
    assert (paper.lora.batch, paper.lora.learning_rate) == (32, 5e-4)
    assert (paper.projector.batch, paper.projector.learning_rate) == (32, 2e-3)
    assert paper.proposals == 0 and replace(paper, name="x").lora.samples == 76_000
