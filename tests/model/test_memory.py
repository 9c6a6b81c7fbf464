"""Naming by resemblance."""

import pytest
import torch

from graspwise.model.memory import NEIGHBOURS, Memory, closer


@pytest.fixture
def memory():
    """Three kinds of things, six photographs each of two objects, two looks of eight numbers."""
    torch.manual_seed(0)
    kinds = torch.randn(3, 2, 8)
    looks = torch.cat([kind + 0.2 * torch.randn(6, 2, 8) for kind in kinds])
    names = [name for name in ("mug", "pen", "tape") for _ in range(6)]
    objects = [f"{name}-{index % 2}" for name in ("mug", "pen", "tape") for index in range(6)]
    return kinds, Memory.of(looks, names=names, objects=objects)


def test_a_picture_is_called_what_it_resembles(memory):
    kinds, remembered = memory
    assert [row[0] for row in remembered.nearest(kinds, count=2)] == ["mug", "pen", "tape"]
    assert all(len(row) == len(set(row)) == 2 for row in remembered.nearest(kinds, count=2))


def test_its_own_object_is_not_asked(memory):
    kinds, _ = memory
    looks = torch.cat([kinds, kinds[:1] + 0.01, kinds[:1] * 0.2 + kinds[1:2]])
    few = Memory.of(looks, names=["mug", "pen", "tape", "cup", "mug"], objects=["a", "b", "c", "d", "e"])
    assert few.nearest(kinds[:1], count=1) == [["mug"]]
    assert few.nearest(kinds[:1], count=1, besides=["a"]) == [["cup"]]


def test_the_only_object_of_a_name_is_asked_all_the_same(memory):
    kinds, _ = memory
    alone = Memory.of(torch.cat([kinds, kinds[:1] + 0.01]), names=["mug", "pen", "tape", "cup"], objects=list("abcd"))
    assert alone.nearest(kinds[:1], count=1, besides=["a"]) == [["mug"]]


def test_memory_survives_saving(memory, tmp_path):
    kinds, remembered = memory
    remembered.save(tmp_path / "memory.safetensors")
    again = Memory.load(tmp_path / "memory.safetensors")
    assert (again.names, again.objects) == (remembered.names, remembered.objects)
    assert again.nearest(kinds, count=1) == remembered.nearest(kinds, count=1)
    assert len(remembered.names) > NEIGHBOURS


def test_a_closer_look_is_centred_and_enlarged():
    picture = torch.zeros(1, 1, 64, 64)
    picture[0, 0, 14:18, 46:50] = 1
    near = closer(picture, centre=torch.tensor([[0.75, 0.25]]), times=2.0)
    ys, xs = torch.nonzero(near[0, 0] > 0.5, as_tuple=True)
    assert float(xs.float().mean()) == pytest.approx(31.5, abs=0.6)
    assert float(ys.float().mean()) == pytest.approx(31.5, abs=0.6)
    assert len(xs) == 64
