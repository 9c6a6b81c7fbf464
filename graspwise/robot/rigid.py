"""Rigid transforms: 4x4 matrices `T_to_from` that take points of the frame `from` to the frame `to`, metres."""

import numpy as np

from graspwise.errors import InputError

TOLERANCE = 1e-3
FARTHEST = 10.0


def check_rigid(matrix: object, *, name: str) -> np.ndarray:
    """The matrix as array (4, 4), float64, its rotation made exactly orthonormal.

    Args:
        matrix: Four rows of four numbers, row-major.
        name: What it is, for the message.

    Raises:
        InputError: not 4x4, not finite, not a rotation to 1e-3, a mirror, or a translation of 10 m or more.
    """
    try:
        value = np.array(matrix, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name}: found {str(matrix)[:60]!r}; valid are four rows of four numbers") from None
    if value.shape != (4, 4):
        raise InputError(f"{name}: found the shape {value.shape}; valid is 4x4")
    if not np.isfinite(value).all():
        raise InputError(f"{name}: a number is not finite; valid are 16 finite numbers")
    if not np.allclose(value[3], (0, 0, 0, 1), rtol=0, atol=1e-9):
        raise InputError(f"{name}: the last row is {value[3].tolist()}; valid is [0, 0, 0, 1]")
    rotation = value[:3, :3]
    error = float(np.abs(rotation @ rotation.T - np.eye(3)).max())
    if error > TOLERANCE:
        raise InputError(f"{name}: not a rotation (R R^T is off by {error:.2g}); valid is at most {TOLERANCE:g}")
    if np.linalg.det(rotation) < 0:
        raise InputError(f"{name}: a mirror (determinant -1), not a rotation; is an axis of the wrong sign?")
    distance = float(np.linalg.norm(value[:3, 3]))
    if distance >= FARTHEST:
        raise InputError(f"{name}: the translation is {distance:.4g} m; valid is below {FARTHEST:g} m: millimetres?")
    left, _, right = np.linalg.svd(rotation)
    value[:3, :3] = left @ right
    return value


def from_quaternion(*, translation: np.ndarray, quaternion: np.ndarray, name: str) -> np.ndarray:
    """Array (4, 4) of a translation in metres and a quaternion x, y, z, w.

    Raises:
        InputError: the quaternion is not of length 1 to 1e-2, or the result is not rigid.
    """
    from scipy.spatial.transform import Rotation

    length = float(np.linalg.norm(quaternion))
    if not abs(length - 1) <= 1e-2:
        raise InputError(f"{name}: the quaternion has length {length:.4g}; valid is 1, in the order x, y, z, w")
    value = np.eye(4)
    value[:3, :3] = Rotation.from_quat(quaternion).as_matrix()
    value[:3, 3] = translation
    return check_rigid(value, name=name)


def quaternion_of(transform: np.ndarray) -> tuple[float, float, float, float]:
    """Quaternion x, y, z, w of a transform (4, 4), with w >= 0."""
    from scipy.spatial.transform import Rotation

    x, y, z, w = Rotation.from_matrix(transform[:3, :3]).as_quat(canonical=True).tolist()
    return x, y, z, w


def move_points(transform: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points (N, 3) of the frame `from` in the frame `to`."""
    moved: np.ndarray = points @ transform[:3, :3].T + transform[:3, 3]
    return moved
