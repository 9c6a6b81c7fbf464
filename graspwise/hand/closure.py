"""Force closure: can contacts that only push resist any small force and torque on the object.

A contact pushes within its friction cone and, as a finger's soft pad does, also turns a little about its normal. What
a set of contacts can resist is the convex hull of the wrenches of one unit of normal force in all (Ferrari and Canny
1992, their L1 measure). There is force closure where it has 0 in its inside. Metres; torques count by the object's
own length, so that they compare with forces.
"""

import math

import numpy as np
from scipy.optimize import linprog

# Of skin on smooth things; the literature has 0.3 to 1 and more.
FRICTION = 0.6
# Torque about the normal that a pad resists for each newton of normal force, metres: about friction times the radius of
# a contact of 8 mm.
SOFT = 0.003
EDGES = 8
# Below this a margin is rounding.
NOTHING = 1e-6


def wrenches(
    points: np.ndarray, normals: np.ndarray, *, length: float, friction: float = FRICTION, soft: float = SOFT
) -> np.ndarray:
    """Extreme wrenches (n * (8 + 2), 6) of contacts that each push with one unit of normal force.

    Args:
        points: (n, 3) metres.
        normals: (n, 3) of length 1, into the object.
        length: What torques are divided by, metres.
        friction: Coefficient of sliding friction.
        soft: Torque about the normal a unit of normal force, metres; 0 for a hard finger.
    """
    points, normals = np.asarray(points, float), np.asarray(normals, float)
    arm = (points - points.mean(axis=0)) / length
    # Any direction that is not the normal's gives two tangents.
    other = np.eye(3)[np.abs(normals).argmin(axis=1)]
    first = np.cross(normals, other)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(normals, first)
    turns = np.arange(EDGES) * 2 * math.pi / EDGES
    sideways = np.cos(turns)[:, None, None] * first + np.sin(turns)[:, None, None] * second
    forces = normals + friction * sideways
    hard = np.concatenate([forces, np.cross(arm[None], forces)], axis=-1).reshape(-1, 6)
    pushed = np.cross(arm, normals)
    twisted = [np.concatenate([normals, pushed + sign * soft / length * normals], axis=1) for sign in (1.0, -1.0)]
    return np.concatenate([hard, *twisted])


def closure_margin(
    points: np.ndarray, normals: np.ndarray, *, friction: float = FRICTION, soft: float = SOFT,
    length: float | None = None,
) -> float:  # fmt: skip
    """How much the contacts resist in the direction they resist least; above 0 there is force closure.

    Of the twelve wrenches along the axes, each way, the least share of a unit that all contacts' normal forces, one
    unit together, can produce. The hull holds 0 inside exactly where all twelve are above 0.

    Args:
        points: (n, 3) contact points, metres.
        normals: (n, 3) of length 1, into the object.
        friction: Coefficient of sliding friction.
        soft: As of `wrenches`.
        length: What torques are divided by, metres; by default the greatest distance of a contact to their middle.

    Returns:
        0 without force closure, at most 1.
    """
    points = np.asarray(points, float).reshape(-1, 3)
    if len(points) < 2:
        return 0.0
    reach = np.linalg.norm(points - points.mean(axis=0), axis=1).max()
    columns = wrenches(points, normals, length=length or max(reach, 1e-6), friction=friction, soft=soft).T
    if np.linalg.matrix_rank(columns, tol=NOTHING) < 6:
        return 0.0
    least = math.inf
    for axis in range(6):
        for sign in (1.0, -1.0):
            # Most of this wrench and none of the others, from normal forces that sum to 1 at most.
            others = np.delete(columns, axis, axis=0)
            found = linprog(
                -sign * columns[axis], A_ub=np.ones((1, columns.shape[1])), b_ub=[1.0], A_eq=others, b_eq=np.zeros(5),
                bounds=(0, None), method="highs",
            )  # fmt: skip
            most = -found.fun if found.status == 0 else 0.0
            if most <= NOTHING:
                return 0.0
            least = min(least, most)
    return float(least)
