"""Robot trials of wishes, in simulation: right target, right pose, and whether the right thing was lifted.

Each takes a household scene of several things with an implicit wish, the answer that the benchmark has scored, and
carries out its first grasp.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np

from graspwise.data.wish_scenes import grasps_of
from graspwise.data.wishes import KINDS
from graspwise.errors import InputError
from graspwise.evaluation.runs import Bar
from graspwise.evaluation.wish_questions import Question, Stage
from graspwise.evaluation.wish_score import Share, WishRecord, percent
from graspwise.files import read_json
from graspwise.grasp import Grasp
from graspwise.metric import matches
from graspwise.parallel import in_order

IMPLICIT = tuple(kind for kind in KINDS if kind.endswith("implicit"))


@dataclass(frozen=True)
class WishTrial:
    """One wish carried out.

    Attributes:
        scene: The scene's name.
        object_id: The object that is the first right target: what intervals are bootstrapped over.
        wish: What was asked.
        token: Whether the model named a right target; None where it names no targets.
        pose: Whether its first grasp matches a right one.
        executed: Whether a right target was lifted and held, by the right part where the wish is about one, and by none
            that should be left alone.
        cause: Why it was not lifted.
        parts: Parts held.
    """

    scene: str
    object_id: str
    wish: str
    token: bool | None
    pose: bool
    executed: bool
    cause: str | None
    parts: tuple[str, ...]

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        return cls(**{**value, "parts": tuple(value["parts"])})


def trial_questions(questions: Sequence[Question], count: int) -> list[Question]:
    """One implicit wish a household scene of two things or more, as many as are asked for.

    Raises:
        InputError: there are not so many.
    """
    found: dict[str, Question] = {}
    for question in questions:
        if question.objects == "unseen" and question.things > 1 and question.kind in IMPLICIT:
            found.setdefault(question.scene, question)
    if len(found) < count:
        raise InputError(
            f"--trials is {count}; found {len(found)} household scenes of several things with an implicit wish; "
            "valid is as many at most, or a larger --count"
        )
    return list(found.values())[:count]


def run_wish_trials(
    questions: Sequence[Question],
    records: Sequence[WishRecord],
    scenes: Path,
    *,
    seed: int,
    names_targets: bool,
    workers: int | None = None,
    ray: str = "",
    bar: Bar = lambda stream, total, title: stream,
    title: str = "trials",
) -> list[WishTrial]:
    """Carry out a model's first grasps.

    Args:
        questions: As `trial_questions` picks them.
        records: What the model answered, these questions among the others.
        scenes: Folder of the household scenes.
        seed: Decides friction and errors; they are the same for all models.
        names_targets: Whether the model names targets.
        workers: Processes; all cores by default.
        ray: "local" or a cluster's address, to run them there.
        bar: Wraps the stream of trials in a progress bar.
        title: Of that bar.
    """
    answers = {(record.place, record.kind): record for record in records}
    rows = [(question, answers[question.place, question.kind]) for question in questions]
    carry = partial(carry_out_wish, scenes=scenes, seed=seed, names_targets=names_targets)
    return list(bar(in_order(carry, rows, workers=workers, ray=ray), len(rows), title))


def carry_out_wish(row: tuple[Question, WishRecord], *, scenes: Path, seed: int, names_targets: bool) -> WishTrial:
    """One trial, in its scene composed once more."""
    from graspwise.data.wish_scenes import read_scene
    from graspwise.sim.catalogue import thing_of
    from graspwise.sim.gripper import Gantry
    from graspwise.sim.render import read_view
    from graspwise.sim.scene import compose
    from graspwise.sim.trial import Conditions, try_grasp

    question, record = row
    folder = scenes / question.scene
    robot = Gantry()
    things = [thing_of(object_id) for object_id in read_json(folder / "labels.json")["object_ids"]]
    scene = compose(things, seed=read_json(folder / "scene.json")["seed"], robot=robot)
    grasp = Grasp(**record.grasps[0]) if record.grasps else None  # type: ignore[arg-type]
    index = index_to_lift(question, grasp, Stage(read_scene(folder)))
    conditions = Conditions.drawn(np.random.default_rng([zlib.crc32(question.place.encode()), seed, 9]))
    outcome = try_grasp(scene, read_view(folder), grasp, target=index, robot=robot, conditions=conditions)
    is_held = any(t.index == index and (t.part is None or t.part in outcome.parts) for t in question.targets)
    return WishTrial(
        scene=question.scene, object_id=record.object_id, wish=question.text,
        token=record.named if names_targets else None, pose=bool(record.hit_first),
        executed=outcome.lifted and outcome.allowed and is_held, cause=outcome.cause, parts=outcome.parts,
    )  # fmt: skip


def index_to_lift(question: Question, grasp: Grasp | None, stage: Stage) -> int:
    """The right thing that a grasp is to lift: one whose label it matches, or that it lies on; else the first."""
    if grasp is None:
        return question.targets[0].index
    size, below = stage.scene.image_size, stage.index_at(grasp)
    labels = () if grasp.opening is None else grasps_of(stage.scene, question.targets)
    matched = [
        label.index
        for label in labels
        if matches(grasp.rectangle(image_size=size), label.grasp.rectangle(image_size=size))
    ]
    right = matched or [target.index for target in question.targets]
    return below if below in right else right[0]


def trial_figures(trials: Sequence[WishTrial]) -> dict[str, Any]:
    """Counts of right tokens, poses and executions with their shares; the token's is None where none is named."""
    objects = [trial.object_id for trial in trials]

    def counted(field: str) -> Share | None:
        values = [getattr(trial, field) for trial in trials]
        return None if None in values else {**percent(values, objects), "count": sum(values)}

    return {"n": len(trials), **{field: counted(field) for field in ("token", "pose", "executed")}}
