"""The way to the desk: one deadline for body and answer, and threads that are free when they are."""

import asyncio
import json
import threading
from types import SimpleNamespace

import pytest
from fastapi import Request
from served import picture_base64

from graspwise.predict import Model
from graspwise.server import asking
from graspwise.server.asking import DECODED_AT_ONCE, Desk, visit
from graspwise.server.batcher import Batcher
from graspwise.server.door import Door
from graspwise.server.limits import Limits
from graspwise.server.metrics import Metrics
from graspwise.server.problem import Problem
from graspwise.server.questions import Said
from graspwise.server.reading import Asked

ASKED = Asked(picture_base64(), [Said("user", "a")], None)


def desk_of(writer, limits: Limits) -> Desk:
    return Desk(Model(writer), batcher=Batcher(limits=limits, metrics=Metrics()), limits=limits)


def test_a_bodys_time_is_part_of_its_requests(writer):
    limits = Limits(seconds=50)
    desk = desk_of(writer, limits)
    found = []

    async def main():
        loop = asyncio.get_running_loop()
        begun = []
        bodies = [{"type": "http.request", "body": json.dumps({}).encode(), "more_body": False}]

        async def receive():
            if not bodies:
                await asyncio.Event().wait()
            begun.append(loop.time())
            await asyncio.sleep(0.05)
            return bodies.pop()

        async def inner(scope, receive, send):
            async for here in visit(Request(scope, receive)):
                found.append(here.deadline)

        door = Door(inner, batcher=desk.batcher, limits=limits, metrics=Metrics(), api_key=None)
        scope = {"type": "http", "method": "POST", "path": "/v1/grasp", "headers": [], "query_string": b"",
                 "app": SimpleNamespace(state=SimpleNamespace(desk=desk))}  # fmt: skip
        await door(scope, receive, None)
        return begun[0]

    assert found == [] and asyncio.run(main()) + 50 >= found[0]


def test_pictures_that_were_given_up_keep_their_threads(writer, monkeypatch):
    desk = desk_of(writer, Limits())
    running, most, let = [], [], threading.Event()
    read = asking.question

    def slow(*args, **options):
        running.append(1)
        most.append(len(running))
        let.wait(timeout=60)
        running.pop()
        return read(*args, **options)

    async def main():
        monkeypatch.setattr(asking, "question", slow)
        loop = asyncio.get_running_loop()
        for _ in range(3):
            tries = [desk.prepare(ASKED, deadline=loop.time() + 0.05) for _ in range(3)]
            for told in await asyncio.gather(*tries, return_exceptions=True):
                assert isinstance(told, Problem) and told.status == 504
        assert len(running) == max(most) == DECODED_AT_ONCE
        let.set()
        # Their places come back once they are done.
        ready = [desk.prepare(ASKED, deadline=loop.time() + 60) for _ in range(2 * DECODED_AT_ONCE)]
        return await asyncio.gather(*ready)

    assert all(ready.square.size == (64, 64) for ready in asyncio.run(main()))
    assert max(most) == DECODED_AT_ONCE


def test_what_is_wrong_with_a_picture_gives_the_thread_back(writer):
    desk = desk_of(writer, Limits(pixels=1000))

    async def main():
        for _ in range(2 * DECODED_AT_ONCE):
            with pytest.raises(Problem, match="at most 1000"):
                await desk.prepare(ASKED, deadline=asyncio.get_running_loop().time() + 60)

    asyncio.run(main())
