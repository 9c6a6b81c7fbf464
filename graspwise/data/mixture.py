"""Several data sets learned from at once: each takes part as often as it has samples."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from graspwise.data.store import Dataset, Sample, Source
from graspwise.errors import InputError


class Mixture(Dataset):
    """Data set folders as one. Its samples' paths are absolute, so that each leads to its own folder, and a
    photograph's name begins with its folder's number, since two folders may have photographs of one name.

    Attributes:
        datasets: The data sets, in the order given.

    Raises:
        InputError: a folder is no whole data set, is given twice, or has another answer format than the first.
    """

    def __init__(self, folders: Sequence[Path | str]) -> None:
        self.datasets = tuple(Dataset(Path(folder).resolve()) for folder in folders)
        if len({dataset.folder for dataset in self.datasets}) < len(self.datasets):
            raise InputError(f"--data: found one folder twice in {', '.join(map(str, folders))}; valid is each once")
        first, *others = self.datasets
        for other in others:
            if other.info["answer"] != first.info["answer"]:
                raise InputError(
                    f"{other.folder}: has {other.info['answer']} answers; valid beside {first.folder} is "
                    f"{first.info['answer']}"
                )
        self.folder = first.folder
        self.info = {
            "answer": first.info["answer"],
            "task": "wishes" if any(dataset.info["task"] == "wishes" for dataset in self.datasets) else "grasp",
            "sets": sorted({name for dataset in self.datasets for name in dataset.info.get("sets", ())}),
            "test": any(dataset.info.get("test", False) for dataset in self.datasets),
            "samples": sum(map(len, self.datasets)),
        }

    def sources(self) -> list[Source]:
        return [source for dataset in self.datasets for source in self.rooted(dataset, dataset.sources())]

    def caption_sources(self) -> list[Source]:
        return [source for dataset in self.datasets for source in self.rooted(dataset, dataset.caption_sources())]

    def rooted(self, dataset: Dataset, sources: Sequence[Source]) -> list[Source]:
        """Files of one of the data sets, their samples as the mixture has them."""
        number = self.datasets.index(dataset)
        sample = partial(rooted, dataset, number=number)
        return [replace(source, sample=sample, prefix=f"{number}:") for source in sources]


def open_data(folders: Sequence[Path | str]) -> Dataset:
    """One data set, or several as one.

    Raises:
        InputError: as `Mixture`.
    """
    return Dataset(folders[0]) if len(folders) == 1 else Mixture(folders)


def rooted(dataset: Dataset, sample: Sample, *, number: int) -> Sample:
    """A sample of a data set with absolute paths, and the data set's number before its photograph's name."""
    wish = sample.wish
    if wish is not None:
        wish = replace(wish, objects=at(dataset, wish.objects), parts=at(dataset, wish.parts))
    return replace(
        sample,
        image=str(dataset.folder / sample.image),
        depth=at(dataset, sample.depth),
        wish=wish,
        source_image=f"{number}:{sample.source_image}",
    )


def at(dataset: Dataset, path: str | None) -> str | None:
    return None if path is None else str(dataset.folder / path)
