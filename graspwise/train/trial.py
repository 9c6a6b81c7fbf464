"""A few steps of every stage in a folder of their own, to tell how long a run takes; nothing of it is kept."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from graspwise.files import read_json
from graspwise.train.estimate import ESTIMATE, FEW, duration, size
from graspwise.train.processes import ALONE, Processes
from graspwise.train.recipe import Recipe, Stage, TrainConfig
from graspwise.train.run import train


def try_run(config: TrainConfig, *, say: Callable[[str], None], processes: Processes = ALONE) -> None:
    """Say what a run will take: parameters, memory, disk, and its time by a few micro-batches of every stage.

    Args:
        config: The run.
        say: Called with every line.
        processes: Those that will train together; all call this.

    Raises:
        InputError: as `train`.
    """
    with TemporaryDirectory() as private:
        out = Path(private) / "run"
        train(replace(config, recipe=shortened(config.recipe, processes.count), watch=0), out=out, say=say,
              processes=processes)  # fmt: skip
        if not processes.is_first:
            return
        found = read_json(out / ESTIMATE)
    whole = config.recipe.stages(config.strategy)
    total = 0.0
    for name, tried in found["stages"].items():
        # Of `spt` a stage may turn out to be left out.
        if tried["seconds"] is not None:
            samples = whole[config.strategy if name == "answers" else name].samples
            seconds = samples * tried["seconds"] / tried["samples"]
            total += seconds
            say(f"time: {name}, {samples} samples, about {duration(seconds)}")
    say(f"time: about {duration(total)} in all, without reading the data set and validation")
    say(f"memory: {size(found['peak_memory_bytes'])} at most while tried")


def shortened(recipe: Recipe, processes: int) -> Recipe:
    """The recipe with steps of one micro-batch a process, and of them as many as tell the time."""

    def few(stage: Stage) -> Stage:
        batch = stage.micro_batch * processes
        return replace(stage, batch=batch, samples=(1 + FEW) * batch) if stage.samples else stage

    return recipe.each_stage(few)
