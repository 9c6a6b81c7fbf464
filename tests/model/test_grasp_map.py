"""The dense head: what its maps mean, and that its loss is least at the labels."""

import math

import pytest
import torch

from graspwise.model.grasp_map import GraspMapHead, MapLoss, best_grasps, mirrored, unmirrored


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


def test_mirror_images_turned_back_are_the_same_maps():
    """A head that sees every mirror image right gives, after turning back, what it gives for the picture itself."""
    turned = []
    for h, v in ((False, False), (True, False), (False, True), (True, True)):
        column, row = (2 if h else 5), (5 if v else 2)
        theta = -0.4 if h != v else 0.4
        turned.append(
            maps_with(row=row, column=column, theta=theta, dx=-0.25 if h else 0.25, dy=0.5 if v else -0.5, opening=0.3)
        )
    back = unmirrored(torch.cat(turned))
    torch.testing.assert_close(
        back[:, :, 2, 5], maps_with(row=2, column=5, theta=0.4, dx=0.25, dy=-0.5, opening=0.3)[:, :, 2, 5]
    )
    assert back[0, 0].argmax() == 2 * 8 + 5


def test_mirrored_pictures_come_in_the_order_that_is_turned_back():
    pictures = torch.arange(12.0).view(1, 1, 3, 4)
    four = mirrored(pictures)
    assert four.shape == (4, 1, 3, 4)
    maps = torch.zeros(4, 6, 3, 4)
    maps[:, 0] = four[:, 0]
    torch.testing.assert_close(unmirrored(maps)[:, 0], pictures[:, 0])
