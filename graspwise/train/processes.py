"""The processes that train one model together: those that `accelerate launch` starts, or one alone.

Every process holds what learns and takes its share of each step; the gradients are added up once a step, so that all
take the same step. Weights that do not learn may be spread over the processes (`graspwise.model.spread`).
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from graspwise.errors import InputError

# Elements of one message, 64 MB in fp32.
MESSAGE = 16_000_000


@dataclass(frozen=True)
class Processes:
    """What a process knows of those it trains with.

    Attributes:
        rank: Its number, from 0; the first alone writes, says and shows.
        count: How many there are.
        spread: Whether weights that do not learn are spread over them (FSDP).
        state: accelerate's, where there are several.
    """

    rank: int = 0
    count: int = 1
    spread: bool = False
    state: Any = None

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def total(self, values: Sequence[float]) -> list[float]:
        """Sums of values over all processes."""
        if self.count == 1:
            return list(values)
        # What has no fp64 takes fp32.
        kind = torch.float32 if self.state.device.type in ("mps", "npu") else torch.float64
        sums = torch.tensor(values, dtype=kind, device=self.state.device)
        torch.distributed.all_reduce(sums)
        return [float(value) for value in sums.tolist()]

    def add_up(self, parameters: Sequence[torch.nn.Parameter], *, learned: Sequence[float]) -> None:
        """Add up gradients over all processes, in place.

        Args:
            parameters: In the same order everywhere.
            learned: In how many processes each has a gradient; without any it keeps none.
        """
        if self.count == 1:
            return
        gradients = []
        for parameter, processes in zip(parameters, learned, strict=True):
            if processes and parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            if parameter.grad is not None:
                gradients.append(parameter.grad)
        for together in messages(gradients):
            flat = torch.cat([gradient.reshape(-1) for gradient in together])
            torch.distributed.all_reduce(flat)
            for gradient, part in zip(together, flat.split([g.numel() for g in together]), strict=True):
                gradient.copy_(part.view_as(gradient))

    def first_does(self, work: Callable[[], None]) -> None:
        """Let the first process do something that the others wait for; what it refuses stops all of them.

        Raises:
            InputError: from `work`, in the first process.
            SystemExit: in the others.
        """
        refused: InputError | None = None
        if self.is_first:
            try:
                work()
            except InputError as error:
                refused = error
        if self.total([float(refused is not None)])[0]:
            raise refused or SystemExit(2)

    @contextmanager
    def one_ahead(self) -> Iterator[None]:
        """Within, the first process of every machine goes ahead, so that the others find its cache filled."""
        if self.count == 1:
            yield
            return
        with self.state.local_main_process_first():
            yield


ALONE = Processes()


def messages(gradients: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """Gradients in their order, as many together as make a message; of one type each."""
    together: list[Tensor] = []
    for gradient in gradients:
        if together and (sum(g.numel() for g in together) > MESSAGE or gradient.dtype != together[0].dtype):
            yield together
            together = []
        together.append(gradient)
    if together:
        yield together


@contextmanager
def joined_processes() -> Iterator[Processes]:
    """The processes that this one was started with, as `accelerate launch` or torchrun leave word in the environment.

    Raises:
        InputError: accelerate is asked for something else than copies of one process, or FSDP.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ALONE
        return
    if is_set("ACCELERATE_USE_DEEPSPEED"):
        raise InputError("accelerate: found DeepSpeed; valid is multi-GPU, multi-CPU, or FSDP")
    spread = is_set("ACCELERATE_USE_FSDP")
    if spread:
        # Else transformers leaves all processes but the first without weights, for a way of FSDP that is not ours.
        os.environ["FSDP_CPU_RAM_EFFICIENT_LOADING"] = "false"
    from accelerate import PartialState

    on_cpu = is_set("ACCELERATE_USE_CPU") or not torch.accelerator.is_available()
    state = PartialState(cpu=on_cpu)
    try:
        yield Processes(rank=state.process_index, count=state.num_processes, spread=spread, state=state)
    finally:
        state.destroy_process_group()


def is_set(name: str) -> bool:
    return os.environ.get(name, "").lower() in ("1", "true", "yes")
