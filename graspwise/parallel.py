"""The same work in this process, on all cores, or on a Ray cluster: results in the order of the items."""

import logging
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from graspwise.errors import InputError

Item = TypeVar("Item")
Result = TypeVar("Result")
# Items under way for each worker, so that none waits and memory stays flat.
AHEAD = 3
# How often Ray begins an item again whose worker died.
RETRIES = 3


def in_order(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    workers: int | None = None,
    ray: str = "",
    gpu: bool = False,
) -> Iterator[Result]:
    """Yield `function(item)` for each item, in order.

    Args:
        function: Importable by name (a module's own, or a partial of one). What it writes must be whole or absent, and
            looked for first: a worker that dies on Ray has its item begun again.
        items: Taken as they are needed.
        workers: Processes on this machine; all cores by default, 1 is this process.
        ray: "" for none, "local" to start a Ray of its own, or a cluster's address.
        gpu: Whether an item on Ray takes a GPU to itself, where the cluster has any.

    Raises:
        InputError: Ray is asked for and is not installed, the cluster does not answer, or an item's worker died each
            time it was tried.
    """
    if ray:
        yield from on_ray(function, items, address=ray, gpu=gpu)
        return
    if workers is not None and workers < 1:
        raise InputError(f"--workers is {workers}; valid is 1 or more")
    count = workers or os.cpu_count() or 1
    if count == 1:
        yield from map(function, items)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # Forked children share the parent's graphics and thread state; spawned ones have their own.
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        stream, waiting = iter(items), deque[Any]()
        try:
            waiting.extend(pool.submit(function, item) for item in islice(stream, AHEAD * count))
            while waiting:
                done = waiting.popleft().result()
                waiting.extend(pool.submit(function, item) for item in islice(stream, 1))
                yield done
        finally:
            pool.shutdown(cancel_futures=True)


def on_ray(
    function: Callable[[Item], Result], items: Iterable[Item], *, address: str, gpu: bool = False
) -> Iterator[Result]:
    """The same on Ray; an item whose worker dies is begun again, `RETRIES` times, and nothing is yielded twice."""
    try:
        import ray
    except ImportError as error:
        raise InputError("--ray needs Ray; valid: pip install 'graspwise[ray]'") from error
    started = not ray.is_initialized()
    if started:
        try:
            where = {} if address == "local" else {"address": address}
            ray.init(**where, log_to_driver=False, logging_level=logging.WARNING, include_dashboard=False)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise InputError(f"--ray {address}: no cluster answers there ({str(error).splitlines()[0]})") from error
    try:
        there = ray.cluster_resources()
        # A task that asks for no GPU is shown none.
        wanted = {"num_gpus": 1} if gpu and there.get("GPU") else {}
        # A partial is no function to Ray, so it travels as an argument.
        task, shared = ray.remote(max_retries=RETRIES, **wanted)(call), ray.put(function)
        stream = iter(items)
        waiting = deque(task.remote(shared, item) for item in islice(stream, AHEAD * int(there.get("CPU", 1))))
        while waiting:
            try:
                done = ray.get(waiting.popleft())
            except ray.exceptions.RayTaskError as error:
                # Ray's own text is the worker's whole traceback.
                raise error.cause from error
            except ray.exceptions.RayError as error:
                raise InputError(
                    f"--ray {address}: the worker of one piece of work died {RETRIES + 1} times "
                    f"({type(error).__name__}); what is done stays, and the same command goes on from there"
                ) from error
            waiting.extend(task.remote(shared, item) for item in islice(stream, 1))
            yield done
    finally:
        if started:
            ray.shutdown()


def call(function: Callable[[Item], Result], item: Item) -> Result:
    return function(item)
