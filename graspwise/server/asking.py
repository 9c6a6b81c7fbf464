"""From a request to the model and back: a question in the queue, as long as its client waits."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import ExitStack
from functools import partial

import anyio
from anyio.to_thread import run_sync
from fastapi import Request

from graspwise.predict import Model
from graspwise.server.batcher import Batcher, Job, timed_out
from graspwise.server.limits import Limits
from graspwise.server.problem import ClientGone
from graspwise.server.questions import Question, question
from graspwise.server.reading import Asked

# Photographs that are held whole at once; what waits in the queue is small.
DECODED_AT_ONCE = 2


class Desk:
    """Where questions for one model are handed in.

    Args:
        model: Who answers.
        batcher: The queue before it.
        limits: What is taken.
    """

    def __init__(self, model: Model, *, batcher: Batcher, limits: Limits) -> None:
        self.model, self.batcher, self.limits = model, batcher, limits
        self._decoding = anyio.CapacityLimiter(DECODED_AT_ONCE)

    def deadline(self) -> float:
        """When a question that arrives now must be answered, in the event loop's time."""
        return asyncio.get_running_loop().time() + self.limits.seconds

    async def prepare(self, asked: Asked, *, deadline: float) -> Question:
        """What a client sent, as a question; its picture is opened in a thread beside the event loop.

        Raises:
            InputError: it is not valid.
            Problem: the picture is too large (413), or it was not its turn in time (504).
        """
        read = partial(question, self.model, asked.image, asked.said, workspace=asked.workspace, limits=self.limits)
        try:
            async with asyncio.timeout_at(deadline):
                return await run_sync(read, limiter=self._decoding)
        except TimeoutError as error:
            raise timed_out() from error


class Visit:
    """One request's way to the desk; when it ends, nobody waits for the answer any more.

    Attributes:
        desk: Where it asks.
        deadline: By when it must be answered, in the event loop's time.
    """

    def __init__(self, desk: Desk, stack: ExitStack) -> None:
        self.desk, self.deadline = desk, desk.deadline()
        self._stack = stack
        self._job: Job | None = None
        self._gone = False

    async def ask(self, asked: Asked) -> Job:
        """The question in the queue; raises as `Desk.prepare`."""
        ready = await self.desk.prepare(asked, deadline=self.deadline)
        if self._gone:
            raise ClientGone
        self._job = self._stack.enter_context(self.desk.batcher.ask(ready))
        return self._job

    async def watch(self, request: Request) -> None:
        """Tells the job when the client goes away."""
        while (await request.receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        if self._job is not None:
            self._job.tell(ClientGone())


async def visit(request: Request) -> AsyncIterator[Visit]:
    """The dependency that gives a route its visit; FastAPI ends it when the response was sent, or could not be."""
    # With the body read, what is received next is the client's leaving.
    await request.body()
    with ExitStack() as stack:
        here = Visit(request.app.state.desk, stack)
        watching = asyncio.create_task(here.watch(request))
        try:
            yield here
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
