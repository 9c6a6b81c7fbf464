"""Does it stay in the hand: a tray, a clamp and nothing at all as hands."""

import numpy as np
import pytest
import trimesh
from plain_solids import ball, box, solid

from graspwise.hand.displacement import (
    BALLS,
    GONE,
    PUBLISHED_SECONDS,
    Displacement,
    object_pieces,
    simulation_displacement,
    skin_balls,
)
from graspwise.hand.mesh import Distance

CUBE = [np.asarray(box((-0.02, -0.02, 0), (0.02, 0.02, 0.04)).vertices)]
TRAY = box((-0.05, -0.05, -0.02), (0.05, 0.05, -0.0005), step=0.008)
FALL = 9.8 * PUBLISHED_SECONDS**2 / 2


def clamp(gap: float) -> trimesh.Trimesh:
    """Two walls beside the cube, that far away from it; negative where they press into it."""
    walls = [box((x, -0.015, 0.005), (x + 0.015, 0.015, 0.035), step=0.006) for x in (-0.035 - gap, 0.02 + gap)]
    return trimesh.util.concatenate(walls)


def fall(hand: trimesh.Trimesh, **options: object) -> Displacement:
    return simulation_displacement(np.asarray(hand.vertices), np.asarray(hand.faces), CUBE, **options)


def test_on_a_tray_it_stays() -> None:
    found = fall(TRAY)
    assert found.published < 0.002 and found.held < 0.003


def test_without_support_it_falls_freely() -> None:
    found = fall(TRAY, down=(0, 0, 1))
    assert found.published == pytest.approx(FALL, rel=0.03)
    assert found.held == GONE


def test_a_clamp_holds_by_friction_alone() -> None:
    assert fall(clamp(-0.0005), mass=0.1).held < 0.003
    assert fall(clamp(-0.0005), mass=0.1, friction=1e-5).held == GONE
    assert fall(clamp(0.001), mass=0.1).held == GONE


def test_a_slope_holds_up_to_the_friction_angle() -> None:
    slope = (np.sin(0.4), 0, -np.cos(0.4))
    assert fall(TRAY, friction=0.8, down=slope).held < 0.006
    assert fall(TRAY, friction=0.1, down=slope).held > 0.05


def test_it_moves_as_the_frame_moves() -> None:
    turn = trimesh.transformations.rotation_matrix(1.0, (1, 2, 3), point=(0.1, 0, 0))
    hand, cube = TRAY.copy(), CUBE[0] @ turn[:3, :3].T + turn[:3, 3]
    hand.apply_transform(turn)
    found = simulation_displacement(hand.vertices, hand.faces, [cube], down=turn[:3, :3] @ (0, 0, 1))
    assert found.published == pytest.approx(FALL, rel=0.03)


def test_what_is_no_body_is_refused() -> None:
    with pytest.raises(ValueError, match="no piece"):
        simulation_displacement(TRAY.vertices, TRAY.faces, [CUBE[0] * (1, 1, 0)])


def test_balls_lie_under_the_skin_and_touch_it() -> None:
    finger = trimesh.creation.capsule(radius=0.008, height=0.03)
    centres, radii = skin_balls(finger.vertices, finger.faces)
    depth = -Distance(solid(finger)).signed(centres)
    assert len(centres) == len(finger.vertices)
    assert (radii == BALLS[0]).all() and np.abs(depth - radii).max() < 0.0003
    # In a web thinner than two balls they are smaller, and smallest at its sharp edges.
    web = box((0, 0, 0), (0.05, 0.05, 0.003), step=0.01)
    centres, radii = skin_balls(web.vertices, web.faces)
    assert radii.max() == 0.0015
    assert (radii + Distance(solid(web)).signed(centres)).max() <= BALLS[-1]


def test_a_ball_is_one_piece_and_an_angle_several() -> None:
    assert len(object_pieces(solid(ball(0.04, fine=2)))) == 1
    outline = trimesh.util.concatenate([box((0, 0, 0), (0.1, 0.02, 0.03)), box((0, 0.02, 0), (0.02, 0.1, 0.03))])
    pieces = object_pieces(solid(outline))
    assert len(pieces) >= 2
    assert max(np.ptp(piece, axis=0)[:2].min() for piece in pieces) < 0.06
