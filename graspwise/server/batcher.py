"""Questions of many clients, answered by one model a few at a time: one thread owns the model.

Whatever waits when the model is free is answered at once, up to `batch`. Of a model at an endpoint, `batch` threads ask
one question each, and none waits for another. A question that nobody waits for any more is taken out of the queue, or
broken off at the next token.
"""

import asyncio
import logging
import math
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from graspwise.conversation import Message
from graspwise.errors import InputError
from graspwise.model.endpoint import EndpointResponder
from graspwise.model.llava_responder import LlavaResponder
from graspwise.model.responder import Responder, Response
from graspwise.picture import Picture
from graspwise.predict import Answer
from graspwise.server.limits import Limits
from graspwise.server.metrics import Metrics
from graspwise.server.problem import Problem
from graspwise.server.questions import Question

log = logging.getLogger("graspwise.server")
Event = str | Answer | Exception


class Job:
    """A question on its way; its events arrive in the event loop that asked it.

    Attributes:
        question: What is asked.
        dropped: Set when nobody waits any more.
    """

    def __init__(self, question: Question) -> None:
        self.question = question
        self.dropped = threading.Event()
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[Event] = asyncio.Queue()

    def tell(self, event: Event) -> None:
        """An event, from any thread: the text so far, the answer, or why there is none."""
        if not self.dropped.is_set():
            # A loop that was closed meanwhile has nobody waiting in it.
            try:
                self._loop.call_soon_threadsafe(self._events.put_nowait, event)
            except RuntimeError:
                self.dropped.set()

    async def events(self, *, deadline: float) -> AsyncIterator[str | Answer]:
        """What the model has written so far, again and again, and at last the answer.

        Args:
            deadline: Time of the event loop by which the answer must be there.

        Raises:
            Problem: it is not there by then (504), or there will be none.
        """
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    event = await self._events.get()
            except TimeoutError as error:
                raise timed_out() from error
            if isinstance(event, Exception):
                raise event
            yield event
            if isinstance(event, Answer):
                return

    async def answer(self, *, deadline: float) -> Answer:
        """The answer alone; raises as `events`."""
        async for event in self.events(deadline=deadline):
            if isinstance(event, Answer):
                return event
        raise RuntimeError("a job's events end with its answer")


class Batcher:
    """The queue before a model, and the thread that serves it, or the threads.

    Args:
        limits: Its `queue` and `batch` bound what is accepted and what is answered at once.
        metrics: Told of every question.
        elsewhere: Whether the model is at an endpoint, which takes each question as it comes.
    """

    def __init__(self, *, limits: Limits, metrics: Metrics, elsewhere: bool = False) -> None:
        self.limits, self.metrics = limits, metrics
        self._together = 1 if elsewhere else limits.batch
        self._changed = threading.Condition()
        self._waiting: deque[Job] = deque()
        self._seats = 0
        self._closing = False
        self._batch_seconds = 1.0
        self._threads = [
            threading.Thread(target=self._work, name="graspwise-model", daemon=True)
            for _ in range(limits.batch if elsewhere else 1)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Accepts nothing more, answers what was accepted, and ends the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    @property
    def is_open(self) -> bool:
        return any(thread.is_alive() for thread in self._threads) and not self._closing

    @property
    def waiting(self) -> int:
        """Questions that the model has not begun."""
        return len(self._waiting)

    @contextmanager
    def seat(self) -> Iterator[None]:
        """A place for one request, from before its body is read until it is answered.

        Raises:
            Problem: all are taken (429, with the time after which to come again), or the server shuts down (503).
        """
        with self._changed:
            if self._closing:
                raise Problem(503, "the server is shutting down", code="shutting_down")
            if self._seats >= self.limits.queue + self.limits.batch:
                wait = math.ceil(self._batch_seconds * self._seats / self.limits.batch)
                raise Problem(
                    429,
                    f"{self._seats} requests are under way, which is all this server takes; come again later",
                    code="queue_full",
                    headers={"Retry-After": str(min(max(wait, 1), math.ceil(self.limits.seconds)))},
                )
            self._seats += 1
        self.metrics.seats.inc()
        try:
            yield
        finally:
            with self._changed:
                self._seats -= 1
            self.metrics.seats.dec()

    @contextmanager
    def ask(self, question: Question) -> Iterator[Job]:
        """A question in the queue; when the context ends, nobody waits for it any more.

        Raises:
            Problem: the server shuts down (503).
        """
        job = Job(question)
        with self._changed:
            if self._closing:
                raise Problem(503, "the server is shutting down", code="shutting_down")
            self._waiting.append(job)
            self._changed.notify()
        try:
            yield job
        finally:
            self.drop(job)

    def drop(self, job: Job) -> None:
        """Nobody waits for a job any more."""
        job.dropped.set()
        with self._changed:
            if job in self._waiting:
                self._waiting.remove(job)
                self.metrics.answers.labels("stopped").inc()

    # ---- the thread

    def _work(self) -> None:
        while jobs := self._take():
            started = time.monotonic()
            self.metrics.batches.observe(len(jobs))
            self._answer(jobs)
            self._batch_seconds = 0.5 * (self._batch_seconds + time.monotonic() - started)

    def _take(self) -> list[Job]:
        """The next jobs, waiting for one; none at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), self._together))]

    def _answer(self, jobs: Sequence[Job]) -> None:
        responder = jobs[0].question.view.responder
        started = time.monotonic()

        def settle(row: int, outcome: Response | Exception) -> None:
            self._settle(jobs[row], outcome, seconds=time.monotonic() - started)

        try:
            if isinstance(responder, EndpointResponder):
                pictures, conversations = contents(jobs)
                responder.respond_each(
                    pictures,
                    conversations,
                    tell=settle,
                    stop=lambda row: jobs[row].dropped.is_set(),
                    on_text=lambda row, text: jobs[row].tell(text),
                )
                return
            told = list(zip(jobs, respond(responder, jobs), strict=True))
        except Exception as error:  # a bad question must neither end the thread nor spoil the others
            if len(jobs) > 1:
                for job in jobs:
                    self._answer([job])
            else:
                settle(0, error)
            return
        seconds = (time.monotonic() - started) / len(jobs)
        for job, response in told:
            self._settle(job, response, seconds=seconds)

    def _settle(self, job: Job, outcome: Response | Exception, *, seconds: float) -> None:
        """Tells a job its answer, or why there is none; from any thread."""
        view = job.question.view
        try:
            if isinstance(outcome, Exception):
                raise outcome
            answer = replace(view.in_picture(outcome, seconds=seconds), model=job.question.model)
        except Exception as error:
            self._count("failed", job)
            job.tell(failure(error, job.question))
            return
        self._count("refused" if answer.refused else "no_grasp" if answer.grasp is None else "answered", job)
        job.tell(answer)

    def _count(self, outcome: str, job: Job) -> None:
        self.metrics.answers.labels("stopped" if job.dropped.is_set() else outcome).inc()


def contents(jobs: Sequence[Job]) -> tuple[list[Picture], list[tuple[Message, ...]]]:
    """Pictures and conversations of jobs."""
    return [job.question.square for job in jobs], [job.question.conversation for job in jobs]


def respond(responder: Responder, jobs: Sequence[Job]) -> list[Response]:
    """Responses to jobs at once; a model that writes is followed, and broken off where nobody waits."""
    pictures, conversations = contents(jobs)
    if not isinstance(responder, LlavaResponder):
        # Done in one pass, which leaves nothing to stop.
        return responder.respond(pictures, conversations)
    return responder.respond(
        pictures,
        conversations,
        on_token=lambda row, text: jobs[row].tell(text),
        stop=lambda row: jobs[row].dropped.is_set(),
    )


def failure(error: Exception, question: Question) -> Exception:
    """What a client is told of an error in the model's thread."""
    responder = question.view.responder
    if isinstance(error, InputError) and not isinstance(responder, EndpointResponder):
        # The model's own name may be a path.
        return InputError(str(error).replace(responder.name, question.model))
    log.error("no answer: %s", error, exc_info=None if isinstance(error, InputError) else error)
    if isinstance(error, InputError):
        # Its message holds an address that is not the client's business.
        return Problem(502, "the model behind this server does not answer as it should", code="upstream_failed")
    return Problem(500, "the model failed on this question; the server's log says why", code="model_failed")


def timed_out() -> Problem:
    return Problem(504, "no answer in the time a request has; the work on it was stopped", code="timeout")
