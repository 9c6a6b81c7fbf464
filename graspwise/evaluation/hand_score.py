"""Figures of hands that were measured: means with 95% intervals over objects, and what is known of a set alone.

Units as papers print them: MPVPE in millimetres, depths and displacements in centimetres, volumes in cubic centimetres.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import torch

from graspwise.evaluation.hand_measures import HandRow
from graspwise.evaluation.hand_plan import LEVELS, HandQuestion
from graspwise.evaluation.score import BOOTSTRAPS, bootstrap, in_percent
from graspwise.hand.cloud import CloudEncoder
from graspwise.hand.grasps import HandDataset
from graspwise.hand.metrics import CLUSTERS, cluster_diversity, frechet_distance, gaussian, mean_vertex_error
from graspwise.hand.model import HandModel, vertex_normals

# Points of a hand that the cloud encoder sees, and hands at once.
POINTS, BATCH = 1024, 64
# Figure: (row to a number or None, factor to the unit it is printed in).
FIGURES: dict[str, tuple[Callable[[HandRow], float | None], float]] = {
    "mpvpe_mm": (lambda row: row.error, 1e3),
    "penetration_cm": (lambda row: row.penetration, 1e2),
    "volume_cm3": (lambda row: row.volume, 1e6),
    "displacement_cm": (lambda row: row.displacement, 1e2),
    "gap_mm": (lambda row: row.gap, 1e3),
}


def figures(rows: Sequence[HandRow]) -> dict[str, Any]:
    """Means with intervals by figure, None where nothing was measured; how many hands, simulated ones and objects."""
    found: dict[str, Any] = {
        "n": len(rows),
        "objects": len({row.object_id for row in rows}),
        "simulated": sum(row.displacement is not None for row in rows),
    }
    for name, (value, factor) in FIGURES.items():
        found[name] = mean_of([(row.object_id, value(row)) for row in rows], factor=factor)
    held = [row for row in rows if row.held is not None]
    found["held"] = percent([(row.object_id, float(bool(row.held))) for row in held])
    return found


def mean_of(values: Sequence[tuple[str, float | None]], *, factor: float) -> dict[str, Any] | None:
    """The mean of numbers, each of an object, and its interval; None without any."""
    known = [(name, value) for name, value in values if value is not None]
    if not known:
        return None
    numbers = factor * np.array([value for _, value in known])
    low, high = bootstrap(numbers, [name for name, _ in known])
    return {"mean": round(float(numbers.mean()), 3), "ci95": [round(low, 3), round(high, 3)]}


def percent(values: Sequence[tuple[str, float]]) -> dict[str, Any] | None:
    """The mean of shares, each of an object, in percent with its interval; None without any."""
    if not values:
        return None
    share, ci95 = in_percent([value for _, value in values], [name for name, _ in values])
    return {"percent": share, "ci95": ci95}


def agreement(rows: Sequence[HandRow], questions: Sequence[HandQuestion]) -> dict[str, Any]:
    """Part agreement in percent, of all questions and by level."""
    level = {question.number: question.level for question in questions}
    known = [(row.object_id, row.agreement, level[row.number]) for row in rows if row.agreement is not None]
    return {
        "all": percent([(name, value) for name, value, _ in known]),
        **{of: percent([(name, value) for name, value, at in known if at == of]) for of in LEVELS},
    }


def in_points(ours: Sequence[HandRow], theirs: Sequence[HandRow]) -> dict[str, Any] | None:
    """Part agreement, ours minus theirs on the same questions, in points with a paired interval."""
    other = {row.number: row.agreement for row in theirs}
    pairs = [
        (row.object_id, row.agreement - value) for row in ours
        if row.agreement is not None and (value := other.get(row.number)) is not None
    ]  # fmt: skip
    found = percent(pairs)
    return {"points": found["percent"], "ci95": found["ci95"], "n": len(pairs)} if found else None


def times(ours: Sequence[HandRow], theirs: Sequence[HandRow], figure: str) -> dict[str, Any] | None:
    """The ratio of two means over the same hands, and its interval over objects; None where theirs is 0."""
    value, _ = FIGURES[figure]
    other = {row.number: value(row) for row in theirs}
    pairs = [
        (row.object_id, mine, right) for row in ours
        if (mine := value(row)) is not None and (right := other.get(row.number)) is not None
    ]  # fmt: skip
    if not pairs or sum(right for *_, right in pairs) <= 0:
        return None
    names, index = np.unique([name for name, *_ in pairs], return_inverse=True)
    sums = np.stack([np.bincount(index, weights=[pair[i] for pair in pairs], minlength=len(names)) for i in (1, 2)])
    drawn = np.random.default_rng(0).integers(len(names), size=(BOOTSTRAPS, len(names)))
    above, below = sums[:, drawn].sum(-1)
    low, high = np.quantile(above[below > 0] / below[below > 0], [0.025, 0.975])
    return {"times": round(float(sums[0].sum() / sums[1].sum()), 3), "ci95": [round(float(v), 3) for v in (low, high)]}


class HandFeatures:
    """Features of hands as they lie on their objects, for P-FID*: our cloud encoder on points of the hand's skin.

    The object's middle is the origin, so that place counts. The encoder has learned from objects, not from hands.

    Args:
        encoder: Of a run of hand tokens.
        dataset: Where the objects are.
        hand: Whose hands.
    """

    def __init__(self, encoder: CloudEncoder, dataset: HandDataset, hand: HandModel) -> None:
        self._encoder, self._dataset, self._hand = encoder, dataset, hand

    def vertices(self, parameters: np.ndarray) -> np.ndarray:
        """(B, V, 3) metres of hands (B, P), in their objects' frames."""
        rows = torch.from_numpy(np.asarray(parameters, np.float32)).split(BATCH)
        with torch.no_grad():
            posed = [self._hand.pose(*self._hand.layout.split(some)).vertices for some in rows]
        return torch.cat(posed).numpy()

    def of(self, vertices: np.ndarray, objects: Sequence[str]) -> np.ndarray:
        """(B, D) of hands (B, V, 3) on objects."""
        chosen = np.random.default_rng(0).permutation(vertices.shape[1])[:POINTS]
        clouds = [self._dataset.objects[name].cloud for name in objects]
        middles = np.stack([(cloud.min(axis=0) + cloud.max(axis=0)) / 2 for cloud in clouds])
        normals = np.stack([vertex_normals(hand, self._hand.faces)[chosen] for hand in vertices])
        points, facing = (torch.from_numpy(np.asarray(a, np.float32)) for a in (vertices[:, chosen], normals))
        points = points - torch.from_numpy(middles.astype(np.float32))[:, None]
        with torch.no_grad():
            found = [self._encoder(p, n)[0] for p, n in zip(points.split(BATCH), facing.split(BATCH), strict=True)]
        return torch.cat(found).double().numpy()


def whole_figures(
    rows: Sequence[HandRow], features: HandFeatures, reference: tuple[np.ndarray, np.ndarray] | None
) -> dict[str, Any]:
    """What is known of a set of hands alone: P-FID* to true hands, and how much they differ; without intervals.

    Args:
        rows: Hands of one method.
        features: For P-FID*.
        reference: Mean and covariance of other true hands' features; None gives no P-FID*.
    """
    parameters = np.array([row.parameters for row in rows])
    vertices, objects = features.vertices(parameters), [row.object_id for row in rows]
    near = gaussian(features.of(vertices, objects)) if reference and len(rows) > 1 else None
    return {
        "p_fid_star": float(f"{frechet_distance(near, reference):.4g}") if near and reference else None,
        "diversity_mm": diversity(vertices, objects),
        "entropy_nats": round(cluster_diversity(parameters)[0], 3) if len(rows) >= CLUSTERS else None,
    }


def diversity(vertices: np.ndarray, objects: Sequence[str]) -> float | None:
    """Millimetres: mean vertex distance of two hands on the same object, mean over pairs, then over objects."""
    of: dict[str, list[int]] = {}
    for place, name in enumerate(objects):
        of.setdefault(name, []).append(place)
    means = [
        np.mean([mean_vertex_error(vertices[i], vertices[j]) for i, j in combinations(places, 2)])
        for places in of.values() if len(places) > 1
    ]  # fmt: skip
    return round(1e3 * float(np.mean(means)), 2) if means else None


def reference_of(
    dataset: HandDataset, objects: Sequence[str], asked: Sequence[int], features: HandFeatures
) -> tuple[tuple[np.ndarray, np.ndarray], int] | None:
    """Mean and covariance of the features of true hands on the test objects that nothing is asked for, and how many.

    None where there are fewer of them than half of those that something is asked for.
    """
    taken, among = set(asked), set(objects)
    others = [g for i, g in enumerate(dataset.grasps) if g.object_id in among and i not in taken]
    if len(others) < max(2, len(asked) / 2):
        return None
    vertices = features.vertices(np.stack([grasp.parameters for grasp in others]))
    return gaussian(features.of(vertices, [grasp.object_id for grasp in others])), len(others)


def scores_of(values: Mapping[int, float], rows: Sequence[HandRow]) -> dict[str, Any] | None:
    """The mean of marks by number with its interval over objects, and how many hands have one."""
    objects = {row.number: row.object_id for row in rows}
    found = mean_of([(objects[number], value) for number, value in values.items() if number in objects], factor=1.0)
    return {**found, "n": sum(number in objects for number in values)} if found else None
