from dataclasses import replace
from pathlib import Path

import pytest

from graspwise.data.build import BuildConfig, build_dataset
from graspwise.data.labelled import LabelledPicture
from graspwise.data.mixture import Mixture, open_data
from graspwise.data.rows import outlines
from graspwise.data.split import make_split
from graspwise.data.store import Dataset
from graspwise.errors import InputError


@pytest.fixture(scope="module")
def folders(photographs: list[LabelledPicture], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two data sets, of other objects each, with 4 and 6 samples."""
    root = tmp_path_factory.mktemp("mixture")
    for name, count, pictures in (("a", 4, photographs[:4]), ("b", 6, photographs[4:8])):
        renamed = [replace(p, object_id=f"{name}-{p.object_id}") for p in pictures]
        build_dataset(renamed, out=root / name, config=BuildConfig(samples=count, size=64), source=name, workers=1)
    return [root / "a", root / "b"]


def test_holds_every_sample_of_each(folders: list[Path]) -> None:
    mixture = open_data(folders)
    samples = list(mixture)
    assert len(mixture) == len(samples) == sum(len(Dataset(folder)) for folder in folders)
    assert [s.messages for s in samples] == [s.messages for folder in folders for s in Dataset(folder)]


def test_pictures_are_those_of_the_samples_own_folder(folders: list[Path]) -> None:
    mixture = open_data(folders)
    alone = [(dataset, sample) for dataset in map(Dataset, folders) for sample in dataset]
    for sample, (dataset, same) in zip(mixture, alone, strict=True):
        assert (mixture.picture(sample).rgb == dataset.picture(same).rgb).all()


def test_a_sample_knows_its_source(folders: list[Path]) -> None:
    mixture = open_data(folders)
    origins = {(source.origin, o.object_id[0]) for source in mixture.sources() for o in outlines([source])}
    assert origins == {("a", "a"), ("b", "b")}


def test_photographs_of_one_name_stay_two(photographs: list[LabelledPicture], tmp_path: Path) -> None:
    """Two simulated data sets both begin with scene 000000; neither's reasons nor parts are the other's."""
    for name in ("a", "b"):
        renamed = [replace(p, object_id=f"{name}-{p.object_id}") for p in photographs[:4]]
        build_dataset(renamed, out=tmp_path / name, config=BuildConfig(samples=4, size=64), source="sim", workers=1)
    mixture = open_data([tmp_path / "a", tmp_path / "b"])
    split = make_split(mixture, by="object", folds=0, fold=0, validation=0, seed=0)
    assert set(split.training) == {sample.object_id for sample in mixture}
    assert len({sample.source_image for sample in mixture}) == 8


def test_one_folder_is_itself(folders: list[Path]) -> None:
    assert not isinstance(open_data(folders[:1]), Mixture)
    assert [s.image for s in open_data(folders[:1])] == [s.image for s in Dataset(folders[0])]


def test_one_folder_twice_is_refused(folders: list[Path]) -> None:
    with pytest.raises(InputError, match="one folder twice"):
        open_data([folders[0], folders[1], folders[0].parent / "b" / ".." / "a"])


def test_other_answers_are_refused(folders: list[Path], photographs: list[LabelledPicture], tmp_path: Path) -> None:
    config = BuildConfig(samples=4, size=64, answer="bare")
    build_dataset(photographs[:4], out=tmp_path / "bare", config=config, source="c", workers=1)
    with pytest.raises(InputError, match="has bare answers; valid beside"):
        open_data([folders[0], tmp_path / "bare"])
