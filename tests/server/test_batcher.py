"""The queue before the model: batches, bounds, and work that ends when nobody waits for it."""

import asyncio

import pytest
from served import REASON, WRITTEN, Writer, picture_base64, until

from graspwise.errors import InputError
from graspwise.model.responder import Response
from graspwise.predict import Answer, Model
from graspwise.server.batcher import Batcher
from graspwise.server.limits import Limits
from graspwise.server.metrics import Metrics
from graspwise.server.problem import Problem
from graspwise.server.questions import Said, question


def a_question(responder, text: str = "Pick it up"):
    return question(Model(responder), picture_base64(), [Said("user", text)], workspace=None, limits=Limits())


def outcomes(batcher: Batcher) -> dict[str, float]:
    return {
        sample.labels["outcome"]: sample.value
        for metric in batcher.metrics.answers.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
    }


@pytest.fixture
def batcher(request):
    made = Batcher(limits=Limits(**getattr(request, "param", {"batch": 4, "queue": 3})), metrics=Metrics())
    made.start()
    yield made
    made.close()


def deadline(seconds: float = 60) -> float:
    return asyncio.get_running_loop().time() + seconds


def test_what_waits_is_answered_at_once_and_each_gets_its_own(batcher, writer):
    async def main():
        async def one(text):
            with batcher.ask(a_question(writer, text)) as job:
                return await job.answer(deadline=deadline())

        writer.go.clear()
        first = asyncio.create_task(one("q"))
        await asyncio.to_thread(writer.begun.acquire)
        rest = [asyncio.create_task(one(f"q {i}")) for i in range(6)]
        while batcher.waiting < 6:
            await asyncio.sleep(0.005)
        writer.go.set()
        return await asyncio.gather(first, *rest)

    answers = asyncio.run(main())
    assert [len(asked) for asked in writer.asked] == [1, 4, 2]
    assert all(answer.reasoning == REASON for answer in answers)
    assert (answers[0].grasp.x, answers[0].grasp.y) == (pytest.approx(0.1), pytest.approx(0.3))
    assert outcomes(batcher) == {"answered": 7}


def test_the_text_so_far_arrives_before_the_answer(batcher, writer):
    async def main():
        with batcher.ask(a_question(writer)) as job:
            return [event async for event in job.events(deadline=deadline())]

    *told, answer = asyncio.run(main())
    assert told == [WRITTEN[: end + 1] for end in range(len(WRITTEN))]
    assert isinstance(answer, Answer)


def test_a_deadline_breaks_the_work_off(batcher, writer):
    writer.go.clear()

    async def main():
        with batcher.ask(a_question(writer)) as job:
            await job.answer(deadline=deadline(0.2))

    with pytest.raises(Problem, match="no answer in the time") as raised:
        asyncio.run(main())
    assert raised.value.status == 504
    # The model was held all the while, and still its work ends.
    until(lambda: writer.broken == [0])
    until(lambda: outcomes(batcher) == {"stopped": 1})


def test_one_that_goes_away_is_broken_off_and_its_neighbour_is_answered(writer):
    batcher = Batcher(limits=Limits(batch=2), metrics=Metrics())

    async def main():
        async def one(text):
            with batcher.ask(a_question(writer, text)) as job:
                return await job.answer(deadline=deadline())

        writer.go.clear()
        leaving, staying, waiting = (asyncio.create_task(one(t)) for t in ("leaving", "staying", "waiting"))
        while batcher.waiting < 3:
            await asyncio.sleep(0.005)
        batcher.start()
        await asyncio.to_thread(writer.begun.acquire)
        # One leaves while it is written, one before the model has seen it.
        leaving.cancel()
        waiting.cancel()
        await asyncio.wait([leaving, waiting])
        assert batcher.waiting == 0
        writer.go.set()
        return await staying

    answer = asyncio.run(main())
    batcher.close()
    assert answer.grasp is not None
    assert [len(asked) for asked in writer.asked] == [2]
    assert writer.broken == [0]
    assert outcomes(batcher) == {"answered": 1, "stopped": 2}


def test_one_bad_question_spoils_no_other(batcher, writer):
    def respond(pictures, conversations, **options):
        if any("poison" in c[0]["content"][1]["text"] for c in conversations):
            raise RuntimeError("a bug")
        return Writer.respond(writer, pictures, conversations, **options)

    async def main():
        writer.go.clear()

        async def one(text):
            with batcher.ask(a_question(writer, text)) as job:
                return await job.answer(deadline=deadline())

        first = asyncio.create_task(one("first"))
        await asyncio.to_thread(writer.begun.acquire)
        rest = [asyncio.create_task(one(text)) for text in ("good", "poison", "fine")]
        while batcher.waiting < 3:
            await asyncio.sleep(0.005)
        writer.respond = respond
        writer.go.set()
        return await asyncio.gather(first, *rest, return_exceptions=True)

    first, good, poison, fine = asyncio.run(main())
    assert first.grasp and good.grasp and fine.grasp
    assert isinstance(poison, Problem) and poison.status == 500 and "a bug" not in str(poison)


def test_what_the_model_cannot_read_is_the_clients_fault(batcher, writer):
    def respond(*args, **options):
        raise InputError("the conversation: 5000 tokens; valid is less")

    writer.respond = respond

    async def main():
        with batcher.ask(a_question(writer)) as job:
            await job.answer(deadline=deadline())

    with pytest.raises(InputError, match="5000 tokens"):
        asyncio.run(main())


def test_a_model_that_cannot_be_followed_is_asked_all_the_same(batcher):
    class Plain:
        name, image_size, answer_format, mode, takes_depth = "plain", 64, "bare", "plain", False

        def respond(self, pictures, conversations):
            return [Response("", "", None)] * len(pictures)

    async def main():
        with batcher.ask(a_question(Plain())) as job:
            return await job.answer(deadline=deadline())

    assert asyncio.run(main()).grasp is None
    assert outcomes(batcher) == {"no_grasp": 1}


@pytest.mark.parametrize("batcher", [{"batch": 2, "queue": 1}], indirect=True)
def test_seats_are_bounded_and_come_back(batcher):
    with batcher.seat(), batcher.seat():
        with batcher.seat(), pytest.raises(Problem, match="3 requests are under way") as raised, batcher.seat():
            pass
        assert raised.value.status == 429
        assert 1 <= int(raised.value.headers["Retry-After"]) <= 120
        with batcher.seat():
            pass


def test_closing_answers_what_was_accepted_and_nothing_more(writer):
    batcher = Batcher(limits=Limits(batch=1), metrics=Metrics())
    batcher.start()

    async def main():
        writer.go.clear()

        async def one():
            with batcher.ask(a_question(writer)) as job:
                return await job.answer(deadline=deadline())

        accepted = [asyncio.create_task(one()) for _ in range(3)]
        await asyncio.to_thread(writer.begun.acquire)
        closing = asyncio.create_task(asyncio.to_thread(batcher.close))
        while batcher.is_open:
            await asyncio.sleep(0.005)
        with pytest.raises(Problem, match="shutting down") as raised, batcher.seat():
            pass
        assert raised.value.status == 503
        assert not closing.done()
        writer.go.set()
        answers = await asyncio.gather(*accepted)
        await closing
        return answers

    assert all(answer.grasp for answer in asyncio.run(main()))
    assert not batcher.is_open
