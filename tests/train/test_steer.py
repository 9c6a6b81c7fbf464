"""Steering: a mosaic keeps its target's labels where they are, and the head alone learns."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from graspwise.data.split import make_split
from graspwise.data.store import Dataset
from graspwise.metric import is_hit
from graspwise.model.load import load_model
from graspwise.train.examples import plain_example
from graspwise.train.recipe import recipe_named
from graspwise.train.run import divide
from graspwise.train.steer import SteerTask, mosaic


@pytest.fixture
def task(tiny_checkpoint, dataset_folder):
    dataset = Dataset(dataset_folder)
    split = make_split(dataset, by="object", folds=0, fold=0, validation=0.0, seed=0)
    model = load_model(str(tiny_checkpoint), merged=False)
    model.card = replace(model.card, answer="reasoned")
    parts = divide(dataset, split)
    return SteerTask(model, dataset, distinct=8, training=parts.training, validation=parts.validation, seed=0)


def test_a_mosaic_shows_the_target_where_its_labels_are(dataset_folder):
    dataset = Dataset(dataset_folder)
    examples = [plain_example(dataset, sample, size=64) for sample in list(dataset)[:6]]
    for seed in range(8):
        made = mosaic(examples[0], examples[1:4], rng=np.random.default_rng(seed))
        assert made.rgb.shape == (64, 64, 3)
        assert len(made.rectangles) == len(examples[0].rectangles)
        for before, after in zip(examples[0].rectangles, made.rectangles, strict=True):
            x, y = (round(v) for v in after.center)
            # The bar is dark, the table light, and so is what the label stands on.
            assert made.rgb[y, x].mean() < 170
            assert after.theta == pytest.approx(before.theta)
            assert after.opening <= before.opening + 1e-6
        assert is_hit(made.grasps[0], labels=made.rectangles, image_size=made.size)


def test_the_head_alone_learns_and_follows_the_condition(task):
    optimizer = torch.optim.Adam(task.parameters().values(), lr=3e-3)
    losses = []
    for step in range(12):
        optimizer.zero_grad()
        loss = task.loss(task.prepare(range(4 * step, 4 * step + 4)))
        loss.backward()
        losses.append(float(loss.detach()))
        optimizer.step()
    assert losses[-1] < losses[0]
    assert all(p.grad is None for p in task.model.llava.parameters())
    assert task.head.steer[-1].weight.abs().sum() > 0


def test_tiny_recipe_has_the_stage():
    assert recipe_named("tiny").steer.samples > 0
