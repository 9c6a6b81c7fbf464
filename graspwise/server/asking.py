"""From a request to the model and back: a question in the queue, as long as its client waits."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

from fastapi import Request

from graspwise.predict import Model
from graspwise.server.batcher import Batcher, Job, timed_out
from graspwise.server.limits import Limits
from graspwise.server.problem import ClientGone
from graspwise.server.questions import Question, public_name, question
from graspwise.server.reading import Asked

# Photographs that are held whole at once; what waits in the queue is small.
DECODED_AT_ONCE = 2


class Desk:
    """Where questions for one model are handed in.

    Args:
        model: Who answers.
        batcher: The queue before it.
        limits: What is taken.

    Attributes:
        name: The model's name, as clients know it.
    """

    def __init__(self, model: Model, *, batcher: Batcher, limits: Limits) -> None:
        self.model, self.batcher, self.limits = model, batcher, limits
        self.name = public_name(model.name)
        self._decoding = asyncio.Semaphore(DECODED_AT_ONCE)
        self._threads = ThreadPoolExecutor(DECODED_AT_ONCE, thread_name_prefix="graspwise-picture")

    def deadline(self) -> float:
        """When a question that arrives now must be answered, in the event loop's time."""
        return asyncio.get_running_loop().time() + self.limits.seconds

    async def prepare(self, asked: Asked, *, deadline: float) -> Question:
        """What a client sent, as a question; its picture is opened in a thread beside the event loop.

        Raises:
            InputError: it is not valid.
            Problem: the picture is too large (413), or it was not its turn in time (504).
        """
        try:
            async with asyncio.timeout_at(deadline):
                await self._decoding.acquire()
                reading = self._threads.submit(
                    question, self.model, asked.image, asked.said, workspace=asked.workspace, limits=self.limits
                )
                reading.add_done_callback(self._release(asyncio.get_running_loop()))
                return await asyncio.wrap_future(reading)
        except TimeoutError as error:
            raise timed_out() from error

    def _release(self, loop: asyncio.AbstractEventLoop) -> Callable[[Future[Question]], None]:
        """Gives a thread's place back when it is free, which may be after its request was given up."""

        def release(_: Future[Question]) -> None:
            # A loop that was closed meanwhile has nobody waiting in it.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._decoding.release)

        return release


class Visit:
    """One request's way to the desk; when it ends, nobody waits for the answer any more.

    Attributes:
        desk: Where it asks.
        deadline: By when it must be answered, in the event loop's time.
    """

    def __init__(self, request: Request, stack: ExitStack) -> None:
        self.desk: Desk = request.app.state.desk
        self.deadline: float = request.state.deadline
        self._request, self._stack = request, stack
        self._watching: asyncio.Task[None] | None = None
        self._job: Job | None = None
        self._gone = False

    async def ask(self, asked: Asked) -> Job:
        """The question in the queue, its request's body read; raises as `Desk.prepare`."""
        # With the body read, what is received next is the client's leaving.
        self._watching = asyncio.create_task(self._watch())
        ready = await self.desk.prepare(asked, deadline=self.deadline)
        if self._gone:
            raise ClientGone
        self._job = self._stack.enter_context(self.desk.batcher.ask(ready))
        return self._job

    async def end(self) -> None:
        """Nobody waits any more."""
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching

    async def _watch(self) -> None:
        """Tells the job when the client goes away."""
        while (await self._request.receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        if self._job is not None:
            self._job.tell(ClientGone())


async def visit(request: Request) -> AsyncIterator[Visit]:
    """The dependency that gives a route its visit; FastAPI ends it when the response was sent, or could not be."""
    with ExitStack() as stack:
        here = Visit(request, stack)
        try:
            yield here
        finally:
            await here.end()
