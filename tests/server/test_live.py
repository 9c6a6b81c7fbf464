"""A live server: the official client, what happens when clients leave or are too many, and the end of a server."""

import base64
import gc
import json
import socket
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import openai
import pytest
from served import REASON, WRITTEN, chat, picture_base64, picture_bytes, running, until

from graspwise.answer import parse_grasp
from graspwise.conversation import text_of
from graspwise.errors import InputError
from graspwise.model.llava_responder import LlavaResponder
from graspwise.model.load import load_model
from graspwise.predict import Model, load
from graspwise.server.limits import Limits
from graspwise.server.schema import GraspAnswer

ASKED = {"image": picture_base64(), "instruction": "Pick it up"}


def client_of(address: str, key: str = "none") -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{address}/v1", api_key=key, max_retries=0)


def test_the_official_client_talks_in_two_turns(tiny_checkpoint):
    model = Model(LlavaResponder("tiny", load_model(str(tiny_checkpoint))))
    with running(model, api_key="secret") as address, client_of(address, "secret") as client:
        assert [found.id for found in client.models.list()] == ["tiny"]
        messages = chat("Pick it up")["messages"]
        first = client.chat.completions.create(model="tiny", messages=messages)
        text = first.choices[0].message.content
        answer = GraspAnswer.model_validate(first.graspwise)
        assert text == answer.text
        assert parse_grasp(text)[1].x == pytest.approx(answer.grasp.x, abs=0.001)
        messages += [{"role": "assistant", "content": text}, {"role": "user", "content": "further left"}]
        pieces, last = [], None
        for last in client.chat.completions.create(model="tiny", messages=messages, stream=True):
            pieces.append(last.choices[0].delta.content or "")
        assert last.choices[0].finish_reason == "stop"
        assert "".join(pieces) == last.graspwise["text"]
        # An untrained model babbles; it is written bit by bit all the same.
        assert len([piece for piece in pieces if piece]) > 3
        parse_grasp("".join(pieces))
        with pytest.raises(openai.NotFoundError, match="not served"):
            client.chat.completions.create(model="gpt-4o", messages=messages)
        with pytest.raises(openai.BadRequestError, match="found 0 pictures"):
            client.chat.completions.create(model="tiny", messages=[{"role": "user", "content": "a"}])
        with client_of(address, "wrong") as stranger, pytest.raises(openai.AuthenticationError):
            stranger.models.list()


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_goes_away_stops_its_work(writer, stream):
    writer.go.clear()
    with running(Model(writer)) as address:
        body = json.dumps(chat("a", stream=stream)).encode()
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as leaving:
            head = f"Host: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            leaving.sendall(f"POST /v1/chat/completions HTTP/1.1\r\n{head}".encode() + body)
            assert writer.begun.acquire(timeout=60)
        until(lambda: writer.broken == [0])
        until(lambda: "graspwise_seats 0.0" in httpx.get(f"{address}/metrics").text)
        assert 'graspwise_answers_total{outcome="stopped"} 1.0' in httpx.get(f"{address}/metrics").text


def test_a_request_out_of_time_is_told_so_and_its_work_stops(writer):
    writer.go.clear()
    with running(Model(writer), limits=Limits(seconds=0.3)) as address:
        told = httpx.post(f"{address}/v1/grasp", json=ASKED, timeout=60)
        assert (told.status_code, told.json()["error"]["code"]) == (504, "timeout")
        until(lambda: writer.broken == [0])
        # Once a word was told, the status is out, and the stream's last event tells the rest.
        told = httpx.post(f"{address}/v1/chat/completions", json=chat("a", stream=True), timeout=60)
        assert told.status_code == 200
        assert json.loads(told.text.split("\n\n")[-2].removeprefix("data: "))["error"]["code"] == "timeout"
        with client_of(address) as client, pytest.raises(openai.APIError, match="no answer in the time"):
            list(client.chat.completions.create(model="writer", messages=chat("a")["messages"], stream=True))


def test_what_is_too_much_is_told_to_come_again_and_what_was_accepted_is_answered(writer):
    writer.go.clear()
    limits = Limits(queue=2, batch=1)
    with running(Model(writer), limits=limits) as address, ThreadPoolExecutor(3) as pool:
        accepted = [pool.submit(httpx.post, f"{address}/v1/grasp", json=ASKED, timeout=60) for _ in range(3)]
        until(lambda: httpx.get(f"{address}/healthz").json()["waiting"] == 2)
        refused = httpx.post(f"{address}/v1/grasp", json=ASKED, timeout=60)
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "queue_full")
        assert int(refused.headers["retry-after"]) >= 1
        with client_of(address) as client, pytest.raises(openai.RateLimitError):
            client.chat.completions.create(model="writer", messages=chat("a")["messages"])
        writer.go.set()
        assert [done.result().status_code for done in accepted] == [200] * 3
        assert httpx.post(f"{address}/v1/grasp", json=ASKED, timeout=60).status_code == 200


def test_a_server_that_ends_answers_what_it_accepted(writer):
    writer.go.clear()
    found = []
    with running(Model(writer), limits=Limits(batch=1)) as address:
        asking = [
            threading.Thread(
                target=lambda: found.append(httpx.post(f"{address}/v1/grasp", json=ASKED, timeout=60).status_code)
            )
            for _ in range(2)
        ]
        for thread in asking:
            thread.start()
        until(lambda: httpx.get(f"{address}/healthz").json()["waiting"] == 1)
        threading.Timer(0.3, writer.go.set).start()
    for thread in asking:
        thread.join()
    assert found == [200, 200]


def test_a_body_that_does_not_come_is_not_waited_for(blob):
    with running(blob, limits=Limits(seconds=0.2, body=1000)) as address:
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=60) as slow:
            slow.sendall(b"POST /v1/grasp HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
            assert slow.recv(100).startswith(b"HTTP/1.1 408")


def test_what_asks_nothing_takes_no_seat(blob):
    with running(blob, limits=Limits(queue=1, batch=1), api_key="secret") as address, ExitStack() as stack:
        host, port = address.removeprefix("http://").split(":")
        for path in ("/docs", "/", "/healthz", "/nowhere", "/examples"):
            slow = stack.enter_context(socket.create_connection((host, int(port)), timeout=60))
            slow.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{".encode())
            # Refused without waiting for the body.
            assert slow.recv(100).startswith((b"HTTP/1.1 405", b"HTTP/1.1 404"))
        told = httpx.post(f"{address}/v1/grasp", json=ASKED, timeout=60, headers={"Authorization": "Bearer secret"})
        assert told.status_code == 200


def test_an_upstream_writes_and_ours_reads_it(writer, monkeypatch):
    monkeypatch.setattr("graspwise.chat.BACKOFF_SECONDS", 0.0)

    with running(Model(writer)) as behind:
        model = load(f"{behind}/v1#writer")
        with running(model) as address:
            told = httpx.post(f"{address}/v1/grasp", json=ASKED, timeout=60).json()
            assert told["reasoning"] == REASON
            # The endpoint was shown the square picture, so what it says is in the square's frame.
            expected = parse_grasp(WRITTEN)[1]
            assert told["grasp"]["x"] == pytest.approx(expected.x, abs=0.001)
            assert told["grasp"]["y"] == pytest.approx(2 * expected.y - 0.5, abs=0.002)
            assert "robot" in text_of(writer.asked[0][0][0])
            writer.respond = None
            failed = httpx.post(f"{address}/v1/grasp", json={**ASKED, "instruction": "a"}, timeout=60)
            assert (failed.status_code, failed.json()["error"]["code"]) == (502, "upstream_failed")
            assert "127.0.0.1" not in failed.text


def test_upstream_a_refused_question_costs_the_others_nothing(writer):
    asked = []
    write = writer.respond

    def respond(pictures, conversations, **options):
        texts = [text_of(conversation[0]).rpartition("request: ")[2] for conversation in conversations]
        asked.extend(texts)
        if "poison" in texts:
            raise InputError("the conversation: too long")
        return write(pictures, conversations, **options)

    writer.respond = respond
    writer.go.clear()
    with (
        running(Model(writer), limits=Limits(batch=1)) as behind,
        running(load(f"{behind}/v1#writer")) as address,
        ThreadPoolExecutor(4) as pool,
    ):

        def one(words):
            return httpx.post(f"{address}/v1/grasp", json={**ASKED, "instruction": words}, timeout=60).status_code

        # None waits at ours; all wait behind the first at the upstream.
        first = pool.submit(one, "first")
        until(lambda: asked == ["first"])
        rest = [pool.submit(one, words) for words in ("good", "poison", "fine")]
        until(lambda: httpx.get(f"{behind}/healthz").json()["waiting"] == 3)
        writer.go.set()
        assert [first.result(), *(done.result() for done in rest)] == [200, 200, 502, 200]
    assert sorted(asked) == ["fine", "first", "good", "poison"]


@pytest.mark.parametrize("path", ["/v1/grasp", "/v1/chat/completions"])
def test_a_question_that_waits_has_dropped_its_body(writer, path):
    picture = base64.b64encode(picture_bytes() + bytes(3 * 2**20)).decode()
    body = {**ASKED, "image": picture}
    if path != "/v1/grasp":
        body = chat("a")
        body["messages"][0]["content"][0]["image_url"]["url"] = f"data:image/png;base64,{picture}"
    sent = json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    writer.go.clear()
    with running(Model(writer), limits=Limits(batch=1)) as address, ThreadPoolExecutor(3) as pool:
        httpx.get(f"{address}/healthz")
        tracemalloc.start()
        try:
            asked = [
                pool.submit(httpx.post, f"{address}{path}", content=sent, headers=headers, timeout=60) for _ in range(3)
            ]
            until(lambda: httpx.get(f"{address}/healthz").json()["waiting"] == 2)
            # Less than two of the three bodies, whatever else was made meanwhile and once the readers are done.
            until(lambda: gc.collect() >= 0 and tracemalloc.get_traced_memory()[0] < 2 * len(sent))
        finally:
            tracemalloc.stop()
            writer.go.set()
        assert [done.result().status_code for done in asked] == [200] * 3
