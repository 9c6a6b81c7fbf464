"""The dense head: what its maps mean, and that its loss is least at the labels."""

import math

import pytest
import torch

from graspwise.grasp import Grasp, angle_difference
from graspwise.model.grasp_map import GraspMapHead, MapLoss, best_grasps, symmetric_mean, symmetric_views
from graspwise.transform import Transform


def maps_with(
    *, row: int, column: int, theta: float, dx: float, dy: float, opening: float, cells: int = 8
) -> torch.Tensor:
    """Maps (1, 6, cells, cells) that are sure of one grasp and of nothing else."""
    maps = torch.zeros(1, 6, cells, cells)
    maps[:, 0] = -8.0
    values = torch.tensor([8.0, math.cos(2 * theta), math.sin(2 * theta), dx, dy, math.log(opening)])
    maps[0, :, row, column] = values
    return maps


@pytest.mark.parametrize("theta", [-1.5, -0.7, 0.0, 0.4, 1.2, math.pi / 2])
def test_maps_are_read_as_grasps(theta):
    grasp = best_grasps(maps_with(row=2, column=5, theta=theta, dx=0.25, dy=-0.5, opening=0.3), count=1)[0][0]
    assert grasp.x == pytest.approx((5.5 + 0.25) / 8)
    assert grasp.y == pytest.approx((2.5 - 0.5) / 8)
    assert math.isclose(math.sin(2 * grasp.theta), math.sin(2 * theta), abs_tol=1e-5)
    assert math.isclose(math.cos(2 * grasp.theta), math.cos(2 * theta), abs_tol=1e-5)
    assert grasp.opening == pytest.approx(0.3, rel=1e-5)
    assert 0.99 < grasp.quality <= 1


def test_near_duplicates_are_one_grasp_and_ranked_by_quality():
    maps = maps_with(row=2, column=5, theta=0.3, dx=0.0, dy=0.0, opening=0.2, cells=32)
    maps[0, :, 2, 6] = maps[0, :, 2, 5] * 0.9
    maps[0, :, 20, 20] = maps[0, :, 2, 5] * 0.5
    first, second = best_grasps(maps, count=2)[0]
    assert first.quality > second.quality
    assert math.dist((first.x, first.y), (second.x, second.y)) > 0.3


def test_none_are_given_where_none_are_asked_for():
    maps = maps_with(row=2, column=5, theta=0.3, dx=0.0, dy=0.0, opening=0.2)
    assert best_grasps(maps, count=0) == [[]]


def test_plates_are_as_long_as_said_else_half_the_opening():
    maps = maps_with(row=2, column=5, theta=0.3, dx=0.0, dy=0.0, opening=0.2)
    assert best_grasps(maps, count=1, plate=0.07)[0][0].jaw == 0.07
    assert best_grasps(maps, count=1)[0][0].jaw is None


def test_loss_is_least_at_a_label_and_ignores_the_half_turn():
    labels = torch.tensor([[[5.5 / 8, 2.5 / 8, 0.4, 0.3]]])
    valid = torch.ones(1, 1, dtype=torch.bool)
    measure = MapLoss()
    right = measure(maps_with(row=2, column=5, theta=0.4, dx=0, dy=0, opening=0.3), labels, valid)
    turned = measure(maps_with(row=2, column=5, theta=0.4 - math.pi, dx=0, dy=0, opening=0.3), labels, valid)
    torch.testing.assert_close(right, turned)
    for wrong in (
        maps_with(row=2, column=5, theta=-0.4, dx=0, dy=0, opening=0.3),
        maps_with(row=2, column=5, theta=0.4, dx=0.7, dy=0, opening=0.3),
        maps_with(row=2, column=5, theta=0.4, dx=0, dy=0, opening=0.1),
        maps_with(row=6, column=1, theta=0.4, dx=0, dy=0, opening=0.3),
    ):
        assert measure(wrong, labels, valid) > right + 0.05


def test_crossing_labels_are_not_averaged():
    """Two labels at one place, a quarter turn apart: either fits better than the angle between them."""
    labels = torch.tensor([[[5.5 / 8, 2.5 / 8, 0.0, 0.3], [5.5 / 8, 2.5 / 8, math.pi / 2, 0.3]]])
    valid = torch.ones(1, 2, dtype=torch.bool)
    losses = [
        float(MapLoss()(maps_with(row=2, column=5, theta=t, dx=0, dy=0, opening=0.3), labels, valid))
        for t in (0.0, math.pi / 2, math.pi / 4)
    ]
    assert max(losses[:2]) < losses[2] - 0.1


def test_a_picture_without_labels_only_lowers_quality():
    head = GraspMapHead(16, width=16)
    labels, valid = torch.zeros(2, 1, 4), torch.zeros(2, 1, dtype=torch.bool)
    loss = MapLoss()(head(torch.randn(2, 16, 4, 4)), labels, valid)
    loss.backward()
    assert torch.isfinite(loss)
    assert head.out.weight.grad[1:].abs().max() == 0


def maps_of(grasp: Grasp, *, cells: int = 8) -> torch.Tensor:
    """Maps (1, 6, cells, cells) that are sure of this grasp, at the cell that holds it."""
    column, row = int(grasp.x * cells), int(grasp.y * cells)
    dx, dy = grasp.x * cells - column - 0.5, grasp.y * cells - row - 0.5
    return maps_with(row=row, column=column, theta=grasp.theta, dx=dx, dy=dy, opening=grasp.opening, cells=cells)


@pytest.mark.parametrize("theta", [-1.2, 0.0, 0.4, math.pi / 2])
def test_a_head_right_in_every_view_is_right_in_their_mean(theta):
    """The views by the package's own transforms: in each, the grasp lies where the picture's turn takes it."""
    size, grasp = (80, 80), Grasp(x=0.66, y=0.28, theta=theta, opening=0.3)
    middle = (39.5, 39.5)
    turned = Transform.about(source=middle, target=middle, scale=1.0, theta=math.pi / 2, source_size=size, size=size)
    views = []
    for base in (
        Transform.about(source=middle, target=middle, scale=1.0, theta=0.0, source_size=size, size=size),
        turned,
    ):
        for axes in ((), ("horizontal",), ("vertical",), ("horizontal", "vertical")):
            view = base
            for axis in axes:
                view = view.then(Transform.flip(size=size, axis=axis))
            views.append(maps_of(view.grasp(grasp)))
    found = best_grasps(symmetric_mean(torch.cat(views)), count=1)[0][0]
    assert (found.x, found.y) == (pytest.approx(grasp.x, abs=1e-5), pytest.approx(grasp.y, abs=1e-5))
    assert angle_difference(found.theta, grasp.theta) < 1e-5
    assert found.opening == pytest.approx(0.3, rel=1e-5)


def test_views_come_in_the_order_that_is_turned_back():
    pictures = torch.arange(16.0).view(1, 1, 4, 4)
    views = symmetric_views(pictures)
    assert views.shape == (8, 1, 4, 4)
    assert len({tuple(view.flatten().tolist()) for view in views}) == 8
    maps = torch.zeros(8, 6, 4, 4)
    maps[:, 0] = views[:, 0]
    torch.testing.assert_close(symmetric_mean(maps)[:, 0], pictures[:, 0])


def test_a_cell_whose_direction_is_unsure_comes_after_one_that_is_sure():
    maps = maps_with(row=2, column=2, theta=0.4, dx=0.0, dy=0.0, opening=0.3)
    maps[0, :, 6, 6] = maps[0, :, 2, 2]
    maps[0, 0, 6, 6] += 1
    maps[0, 1:3, 6, 6] *= 0.8
    first, second = best_grasps(maps, count=2)[0]
    assert (first.x, first.quality > second.quality) == (2.5 / 8, True)


def test_a_condition_starts_without_effect_and_then_decides():
    torch.manual_seed(0)
    head = GraspMapHead(16, width=16, condition=4)
    dense, conditions = torch.randn(1, 16, 5, 5).expand(2, -1, -1, -1), torch.randn(2, 4)
    torch.testing.assert_close(head(dense, conditions), head(dense))
    torch.nn.init.normal_(head.film.weight)
    one, other = head(dense, conditions)
    assert (one - other).abs().max() > 0.1
