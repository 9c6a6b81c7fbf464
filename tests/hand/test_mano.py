"""MANO from a file of its layout that the tests draw: posed by smplx, put into the frame of all hands."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hand_cases import HERE, mano_arrays, write_mano
from scipy.spatial.transform import Rotation

from graspwise.errors import InputError
from graspwise.hand.mano import TIPS, VARIABLE, load_mano
from graspwise.hand.mano_file import FILE, SHAPES, read_mano
from graspwise.hand.model import FINGERS, JOINTS, REGIONS

FLAT, MEAN = torch.zeros(1, 45), torch.zeros(1, SHAPES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mano")
    write_mano(folder / FILE, mano_arrays())
    return folder


def test_without_a_path_it_says_where_the_files_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(InputError, match=r"no path .* https://mano\.is\.tue\.mpg\.de"):
        load_mano()


def test_without_smplx_it_says_how_to_install_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "smplx", None)
    with pytest.raises(InputError, match=r"needs smplx .* pip install --no-deps smplx"):
        load_mano(folder)


class TestPosed:
    """What needs smplx, whose licence is for research only, so that the project does not depend on it."""

    @pytest.fixture(autouse=True, scope="class")
    def smplx(self) -> None:
        pytest.importorskip("smplx")

    def test_it_is_a_hand_as_the_others_are(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(VARIABLE, str(folder))
        hand = load_mano()
        assert hand.layout.size == 9 + 45 + 10 and hand.limits.shape == (45, 2) and hand.faces.shape == (1552, 3)
        assert set(hand.regions) == set(hand.pads) == set(REGIONS)
        assert (hand.limits[:, 0] <= hand.rest).all() and (hand.rest <= hand.limits[:, 1]).all()
        posed = hand.pose(HERE, FLAT, MEAN)
        joints = dict(zip(JOINTS, posed.joints[0].numpy(), strict=True))
        assert np.allclose(joints["wrist"], 0, atol=1e-6) and np.allclose(joints["middle_1"][1:], 0, atol=1e-6)
        sides = [joints[f"{finger}_1"][1] for finger in FINGERS]
        assert sides == sorted(sides, reverse=True)
        for finger in FINGERS:
            assert torch.allclose(posed.joints[0, JOINTS.index(f"{finger}_tip")], posed.vertices[0, TIPS[finger]])

    def test_a_joint_turns_what_lies_beyond_it(self, folder: Path) -> None:
        hand = load_mano(folder)
        flat = hand.pose(HERE, FLAT, MEAN)
        articulation = FLAT.clone()
        # MANO's fingers point along -x with the palm at -y: about +z they bend to the palm.
        articulation[0, hand.articulation.index("ring_2_z")] = 1.0
        assert hand.limits[hand.articulation.index("ring_2_z"), 1] > 1.7
        bent = hand.pose(HERE, articulation, MEAN)
        moved = torch.linalg.norm(bent.joints - flat.joints, dim=-1)[0]
        turned = [name for name, distance in zip(JOINTS, moved, strict=True) if distance > 0.003]
        assert turned == ["ring_3", "ring_tip"]
        assert bent.joints[0, JOINTS.index("ring_tip"), 2] < flat.joints[0, JOINTS.index("ring_tip"), 2] - 0.01

    def test_a_data_sets_parameters_give_the_data_sets_vertices(self, folder: Path) -> None:
        from smplx import MANO
        from smplx.utils import Struct

        hand, random = load_mano(folder), torch.Generator().manual_seed(1)
        orientation, translation = torch.randn(2, 3, generator=random), torch.randn(2, 3, generator=random)
        articulation = torch.randn(2, 45, generator=random) * 0.3
        shape = torch.randn(2, SHAPES, generator=random)
        theirs = MANO("", data_struct=Struct(**read_mano(folder / FILE)), use_pca=False, flat_hand_mean=True)(
            betas=shape, global_orient=orientation, hand_pose=articulation, transl=translation
        )
        transform = hand.transform_of(orientation=orientation, translation=translation, shape=shape)
        ours = hand.pose(transform, articulation, shape)
        assert torch.allclose(ours.vertices, theirs.vertices, atol=1e-5)
        rotation = Rotation.from_rotvec(orientation.numpy()).as_matrix() @ hand.axes.T.numpy()
        assert np.allclose(transform[:, :3, :3], rotation, atol=1e-5)

    def test_it_is_differentiable(self, folder: Path) -> None:
        hand = load_mano(folder)
        parts = [tensor.clone().requires_grad_() for tensor in (HERE, FLAT + 0.1, MEAN + 0.1)]
        hand.pose(*parts).vertices.square().sum().backward()
        assert all(part.grad is not None and part.grad.abs().sum() > 0 for part in parts)
