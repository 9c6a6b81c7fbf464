"""What is measured of a hand's grasp. Each metric's docstring has its definition, unit and source.

Metres, square and cubic metres; papers print MPVPE in millimetres, depths in centimetres and volumes in cubic
centimetres. Hand and object are in one frame. A hand is its vertices (V, 3) and, where a volume is asked, its faces.
"""

from collections.abc import Collection, Iterable, Mapping

import numpy as np
from scipy.cluster.vq import kmeans2

from graspwise.hand.mesh import Distance, Nearest, Solid
from graspwise.hand.surface import library

CONTACT = 0.003
CELL = 0.002
CLUSTERS = 20


def mean_vertex_error(first: np.ndarray, second: np.ndarray) -> float:
    """MPVPE, metres: mean distance of a vertex to the same vertex of the other hand, over all vertices and hands.

    No alignment before. Used by SemGrasp (Li et al. 2024) for reconstruction.

    Args:
        first: Array (..., V, 3).
        second: As `first`.
    """
    if np.shape(first) != np.shape(second):
        raise ValueError(f"both must have the same shape; found {np.shape(first)} and {np.shape(second)}")
    return float(np.linalg.norm(np.asarray(first, float) - np.asarray(second, float), axis=-1).mean())


def penetration_depth(hand_vertices: np.ndarray, distance: Distance) -> float:
    """PD, metres: how deep the deepest hand vertex (V, 3) lies inside the object, 0 where none does.

    Depth is the distance to the object's surface. Hasson et al. 2019, and OakInk's evaluation code.
    """
    return max(0.0, -float(distance.signed(hand_vertices).min()))


def gap(hand_vertices: np.ndarray, distance: Distance) -> float:
    """Metres between the object and the hand vertex (V, 3) nearest to it, 0 where hand and object touch."""
    return max(0.0, float(distance.signed(hand_vertices).min()))


def intersection_volume(
    hand_vertices: np.ndarray, hand_faces: np.ndarray, solid: Solid, *, cell: float = CELL
) -> float:
    """SIV, cubic metres: volume of the cells of a lattice whose middles lie inside both hand and object.

    Cells are cubes of `cell` metres in the object's frame. Papers choose the lattice differently: 5 mm cells (Hasson
    et al. 2019), 80 to 128 cells along the object's longest side (CPF, Yang et al. 2021; OakInk's evaluation code).
    All estimate the same volume; 2 mm is about the latter on a thing of 20 cm.

    Args:
        hand_vertices: Array (V, 3), metres.
        hand_faces: Array (F, 3); an open wrist is closed by the winding number.
        solid: The object, in the same frame.
        cell: Side of a cell, metres.
    """
    low = np.maximum(hand_vertices.min(axis=0), solid.vertices.min(axis=0))
    high = np.minimum(hand_vertices.max(axis=0), solid.vertices.max(axis=0))
    first, last = np.floor(low / cell).astype(int), np.ceil(high / cell).astype(int)
    if (last <= first).any():
        return 0.0
    axes = [(np.arange(a, b) + 0.5) * cell for a, b in zip(first, last, strict=True)]
    middles = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    winding = library("igl").fast_winding_number
    for vertices, faces in ((hand_vertices, hand_faces), (solid.vertices, solid.faces)):
        if len(middles) == 0:
            break
        around = winding(np.ascontiguousarray(vertices, np.float64), np.ascontiguousarray(faces, np.int64), middles)
        middles = middles[np.asarray(around).reshape(-1) > 0.5]
    return len(middles) * cell**3


def contact_fingers(
    hand_vertices: np.ndarray, distance: Distance, *, regions: Mapping[str, np.ndarray], within: float = CONTACT
) -> dict[str, tuple[str, ...]]:
    """Which parts each finger touches; a finger that touches nothing is left out.

    A finger touches the part of the surface's nearest point to each of its vertices that lies at most `within` metres
    outside the object, or inside it. CapGrasp's low level captions (SemGrasp, Li et al. 2024) use 3 mm.

    Args:
        hand_vertices: Array (V, 3), metres.
        distance: To the object.
        regions: Vertex numbers of each finger's contact region.
        within: Metres.

    Returns:
        By finger, names of parts, those with the most vertices first; none where what is touched has no name.
    """
    nearest: Nearest = distance.nearest(hand_vertices)
    parts, names = distance.parts(nearest.faces), distance.solid.parts
    touched = {}
    for finger, vertices in regions.items():
        near = vertices[nearest.distance[vertices] <= within]
        if len(near):
            count = np.bincount(parts[near][parts[near] >= 0], minlength=len(names))
            touched[finger] = tuple(names[k] for k in np.argsort(-count, kind="stable") if count[k])
    return touched


def part_agreement(
    touched: Mapping[str, Collection[str]], *, asked: Iterable[tuple[str | None, str]], free: Collection[str] = ()
) -> float:
    """Share, 0 to 1, of what was asked that holds on the geometry: is the named finger on the named part.

    The project's own measure; it never reads a caption.

    Args:
        touched: As of `contact_fingers`.
        asked: Finger and part, or None and a part that any finger may touch.
        free: Parts that no finger may touch; each is one more thing that was asked.

    Raises:
        ValueError: nothing was asked.
    """
    anywhere = {part for parts in touched.values() for part in parts}
    held = [part in (anywhere if finger is None else touched.get(finger, ())) for finger, part in asked]
    held += [part not in anywhere for part in free]
    if not held:
        raise ValueError("agreement with nothing asked has no value")
    return sum(held) / len(held)


def mean_pairwise_error(hands: np.ndarray) -> float:
    """Diversity, metres: mean `mean_vertex_error` over all pairs of N hands (N, V, 3), N at least 2; 0 if all equal."""
    count = len(hands)
    if count < 2:
        raise ValueError(f"diversity needs at least two hands; found {count}")
    return float(np.mean([mean_vertex_error(hands[i], hands[j]) for i in range(count) for j in range(i)]))


def cluster_diversity(features: np.ndarray, *, clusters: int = CLUSTERS, seed: int = 0) -> tuple[float, float]:
    """Diversity by k-means: entropy of the cluster sizes, nats, and mean distance to the own cluster's middle.

    HALO (Karunratanakul et al. 2021): 20 clusters of the hands' parameters; the entropy is at most log(clusters). The
    second has the unit of the features.

    Args:
        features: Array (N, D), one row a grasp, N at least `clusters`.
        clusters: How many.
        seed: Of the first middles.

    Raises:
        ValueError: there are fewer grasps than clusters.
    """
    features = np.asarray(features, float)
    if len(features) < clusters:
        raise ValueError(f"{clusters} clusters need as many grasps; found {len(features)}")
    middles, own = kmeans2(features, clusters, minit="++", rng=np.random.default_rng(seed), missing="warn")
    share = np.bincount(own, minlength=clusters) / len(features)
    share = share[share > 0]
    spread = np.linalg.norm(features - middles[own], axis=1).mean()
    return float(-(share * np.log(share)).sum()), float(spread)


def gaussian(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (D,) and covariance (D, D) of features (N, D), N at least 2."""
    features = np.asarray(features, float)
    if len(features) < 2:
        raise ValueError(f"a covariance needs at least two rows; found {len(features)}")
    return features.mean(axis=0), np.atleast_2d(np.cov(features, rowvar=False))


def frechet_distance(first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray]) -> float:
    """Squared 2-Wasserstein distance of two Gaussians, each a mean (D,) and a covariance (D, D).

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), Heusel et al. 2017. On features of a point encoder it is P-FID (Nichol
    et al. 2022); with an encoder of our own it is called P-FID* and is not comparable with published values.
    """
    (mean, cov), (other_mean, other_cov) = first, second
    values, ways = np.linalg.eigh(cov)
    root = (ways * np.sqrt(np.clip(values, 0, None))) @ ways.T
    # Eigenvalues of C1 C2 are those of this symmetric matrix, whose root is real.
    shared = np.sqrt(np.clip(np.linalg.eigvalsh(root @ other_cov @ root), 0, None)).sum()
    return max(0.0, float(((mean - other_mean) ** 2).sum() + np.trace(cov) + np.trace(other_cov) - 2 * shared))
