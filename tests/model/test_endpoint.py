"""A model behind an endpoint over real HTTP: what is sent, what is read, and one line for all that fails."""

import base64
import io
import json
import math
import socket
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from graspwise import chat
from graspwise.answer import parse_grasp
from graspwise.cli import main
from graspwise.conversation import assistant_turn, user_turn
from graspwise.errors import InputError
from graspwise.grasp import Grasp
from graspwise.model import endpoint
from graspwise.model.endpoint import EndpointResponder
from graspwise.model.manner import IMAGE_SIZE, INSTRUCTION
from graspwise.model.registry import open_responder
from graspwise.picture import Picture

PICTURES = [Picture(rgb) for rgb in np.random.default_rng(0).integers(0, 255, (8, 32, 32, 3), dtype=np.uint8)]
ASKED = [user_turn("Pick up the mug.")]
GOOD = "A mug, held by its handle.\n[0.250, 0.500], +0.30"
Reply = tuple[int, dict[str, str], bytes]


def completion(text: str | None, **choice: Any) -> Reply:
    """What a server answers with that wrote `text`."""
    message = {"role": "assistant", "content": text}
    return 200, {}, json.dumps({"choices": [{"message": message, "finish_reason": "stop", **choice}]}).encode()


def listing(*names: str) -> Reply:
    return 200, {}, json.dumps({"object": "list", "data": [{"id": name, "object": "model"} for name in names]}).encode()


class FakeServer:
    """Answers with `reply(request)`; keeps the requests, each with its path, headers and body."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.reply: Callable[[dict[str, Any]], Reply] = lambda request: completion(GOOD)
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                request = {"method": self.command, "path": self.path, "key": self.headers.get("authorization"),
                           "body": json.loads(body) if body else None}  # fmt: skip
                fake.requests.append(request)
                status, headers, content = fake.reply(request)
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"

    def replies(self, *replies: Reply) -> None:
        """Answer with these, one after the other."""
        rest = list(replies)
        self.reply = lambda request: rest.pop(0)

    def answer(self, text: str | None, **choice: Any) -> Any:
        """The response that comes of one written text."""
        self.reply = lambda request: completion(text, **choice)
        return EndpointResponder(f"{self.url}#vlm").respond(PICTURES[:1], [ASKED])[0]


@pytest.fixture
def fake(serve: Callable[[ThreadingHTTPServer], None]) -> FakeServer:
    server = FakeServer()
    serve(server.server)
    return server


def sent_picture(request: dict[str, Any]) -> np.ndarray:
    """The pixels in a request."""
    part = request["body"]["messages"][0]["content"][0]
    kind, _, data = part["image_url"]["url"].partition(",")
    assert (part["type"], kind) == ("image_url", "data:image/png;base64")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def test_the_request_holds_picture_instruction_and_words(fake: FakeServer) -> None:
    responder = EndpointResponder(f"{fake.url}#org/vlm")
    assert (responder.name, responder.mode, responder.takes_depth) == (f"{fake.url}#org/vlm", "plain", False)
    response = responder.respond(PICTURES[:1], [ASKED])[0]
    assert response.text == GOOD
    assert response.reasoning == "A mug, held by its handle."
    assert response.grasp == Grasp(x=0.25, y=0.5, theta=0.3)
    assert response.others == () and not response.intervened
    (request,) = fake.requests
    assert (request["method"], request["path"], request["key"]) == ("POST", "/v1/chat/completions", None)
    body = request["body"]
    assert (body["model"], body["temperature"]) == ("org/vlm", 0)
    assert 100 < body["max_tokens"] < 10_000
    assert [message["role"] for message in body["messages"]] == ["user"]
    assert (sent_picture(request) == PICTURES[0].rgb).all()
    assert body["messages"][0]["content"][1] == {"type": "text", "text": INSTRUCTION + "Pick up the mug."}


def test_later_turns_follow_as_text(fake: FakeServer) -> None:
    conversation = [*ASKED, assistant_turn(GOOD), user_turn("By its rim.", image=False)]
    EndpointResponder(f"{fake.url}#vlm").respond(PICTURES[:1], [conversation])
    first, *rest = fake.requests[0]["body"]["messages"]
    assert [part["type"] for part in first["content"]] == ["image_url", "text"]
    assert rest == [{"role": "assistant", "content": GOOD}, {"role": "user", "content": "By its rim."}]


def test_the_instructions_own_example_can_be_read() -> None:
    reasoning, grasp = parse_grasp(INSTRUCTION.removesuffix("The request: "))
    assert reasoning.endswith("For example, the last line could be:")
    assert 0 < grasp.x < 1 and 0 < grasp.y < 1 and grasp.theta > 0


@pytest.mark.parametrize(
    ("theta", "words", "toward"),
    [
        (0.0, "+0.00 is one jaw left and one right", (1, 0)),
        (0.79, "+0.79 one at its lower left and one at its upper right", (1, -1)),
        (-0.79, "-0.79 one at its upper left and one at its lower right", (1, 1)),
        (1.57, "+1.57 one below and one above", (0, -1)),
    ],
)
def test_the_instruction_says_theta_as_the_geometry_has_it(theta: float, words: str, toward: tuple[int, int]) -> None:
    assert words in " ".join(INSTRUCTION.split())
    corners = Grasp(x=0.5, y=0.5, theta=theta, opening=0.2).rectangle(image_size=(100, 100)).corners
    # The second jaw that the words name is the one that the edge 0-1 leads to.
    along = corners[1] - corners[0]
    assert along / math.hypot(*along) == pytest.approx(np.array(toward) / math.hypot(*toward), abs=0.01)


@pytest.mark.parametrize("text", ["I see no mug here.", "A mug. [1.5, 0.3], 0.2", "", "[0.5, 0.3]"])
def test_a_text_without_a_valid_grasp_is_an_answer_without_a_grasp(fake: FakeServer, text: str) -> None:
    response = fake.answer(text)
    assert (response.text, response.reasoning, response.grasp, response.others) == (text, text, None, ())


def test_thoughts_are_no_part_of_the_answer(fake: FakeServer) -> None:
    response = fake.answer(f"<think>Perhaps [0.9, 0.9], 1.0?\nNo.</think>\n\n{GOOD}")
    assert (response.text, response.grasp.x) == (GOOD, 0.25)


def test_a_refusal_and_a_model_that_never_wrote_are_texts_without_a_grasp(fake: FakeServer) -> None:
    refused = fake.answer(None, message={"role": "assistant", "content": None, "refusal": "I cannot help."})
    assert (refused.text, refused.grasp) == ("I cannot help.", None)
    silent = fake.answer(None, finish_reason="length")
    assert (silent.text, silent.grasp) == ("", None)


def test_a_number_that_was_cut_short_is_no_number(fake: FakeServer) -> None:
    assert fake.answer("A mug.\n[0.250, 0.500], +0", finish_reason="length").grasp is None
    # A whole grasp before the cut counts.
    assert fake.answer("[0.250, 0.500], +0.30\nBecause the han", finish_reason="length").grasp.theta == 0.3


def test_a_batch_is_asked_at_once_and_answered_in_order(fake: FakeServer) -> None:
    together = threading.Barrier(endpoint.WORKERS, timeout=10)

    def reply(request: dict[str, Any]) -> Reply:
        # Passes only when as many requests are under way.
        together.wait()
        index = next(i for i, picture in enumerate(PICTURES) if (sent_picture(request) == picture.rgb).all())
        return completion(f"[0.{index}, 0.5], 0.1")

    fake.reply = reply
    responses = EndpointResponder(f"{fake.url}#vlm").respond(PICTURES, [ASKED] * len(PICTURES))
    assert [response.grasp.x for response in responses] == [i / 10 for i in range(len(PICTURES))]


def test_each_is_told_its_own_answer_as_soon_as_it_is_there(fake: FakeServer) -> None:
    told: dict[int, Any] = {}
    others = threading.Event()

    def reply(request: dict[str, Any]) -> Reply:
        words = request["body"]["messages"][0]["content"][1]["text"]
        if "refused" in words:
            return 400, {}, b"no"
        if "slow" in words:
            assert others.wait(timeout=60)
        return completion(GOOD)

    def tell(row: int, outcome: Any) -> None:
        told[row] = outcome
        # The slow one is answered once all others were told theirs.
        if len(told) == len(PICTURES) - 1:
            others.set()

    fake.reply = reply
    words = ["slow", "refused", *["fine"] * (len(PICTURES) - 2)]
    responder = EndpointResponder(f"{fake.url}#m")
    responder.respond_each(PICTURES, [[user_turn(word)] for word in words], tell=tell, stop=lambda row: False)
    assert isinstance(told.pop(1), InputError)
    assert sorted(told) == [0, *range(2, len(PICTURES))]
    assert all(answer.grasp is not None for answer in told.values())
    assert len(fake.requests) == len(PICTURES)


def test_how_long_it_may_be_silent_is_said(fake: FakeServer) -> None:
    release = threading.Event()

    def reply(request: dict[str, Any]) -> Reply:
        release.wait(timeout=60)
        return completion(GOOD)

    fake.reply = reply
    with pytest.raises(InputError, match=r"no answer within 0\.2 s"):
        EndpointResponder(f"{fake.url}#m", timeout_seconds=0.2).respond(PICTURES[:1], [ASKED])
    release.set()


def test_the_key_is_sent_and_never_shown(fake: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", " secret\n")
    responder = EndpointResponder(f"{fake.url}#vlm")
    responder.respond(PICTURES[:1], [ASKED])
    assert fake.requests[0]["key"] == "Bearer secret"
    for status in (401, 500, 200):
        fake.reply = lambda request, status=status: (status, {}, b"no, secret is wrong")
        with pytest.raises(InputError) as failed:
            responder.respond(PICTURES[:1], [ASKED])
        assert "secret" not in str(failed.value)


def test_without_a_name_the_only_model_is_taken(fake: FakeServer) -> None:
    fake.replies(listing("org/vlm"), completion(GOOD))
    responder = open_responder(f"{fake.url}/")
    assert isinstance(responder, EndpointResponder)
    assert responder.name == f"{fake.url}#org/vlm"
    responder.respond(PICTURES[:1], [ASKED])
    assert [(r["method"], r["path"]) for r in fake.requests] == [
        ("GET", "/v1/models"), ("POST", "/v1/chat/completions"),
    ]  # fmt: skip
    assert fake.requests[1]["body"]["model"] == "org/vlm"


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (listing("a", "org/b"), ["found a, org/b;", "#MODEL with one of them"]),
        (listing(), ["found no model"]),
        (listing(*(f"m{i}" for i in range(300))), ["m0, m1", "and 280 more"]),
        ((200, {}, b'{"data": "x"}'), ["no list of models", "#MODEL"]),
        ((200, {}, b"[]"), ["no list of models", "#MODEL"]),
        ((404, {}, b"Not Found"), ["404", "base URL"]),
    ],
)
def test_no_name_and_not_one_model_is_one_line(fake: FakeServer, reply: Reply, says: list[str]) -> None:
    fake.replies(reply)
    with pytest.raises(InputError) as failed:
        open_responder(fake.url)
    assert f"{fake.url}/models" in str(failed.value)
    assert all(word in str(failed.value) for word in says), failed.value
    assert len(str(failed.value)) < 400


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_twice_more_after_the_wait_it_asks_for(
    fake: FakeServer, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(chat.time, "sleep", waits.append)
    busy = (status, {"retry-after": "7"}, b"busy")
    fake.replies(busy, (status, {"retry-after": "9000"}, b"busy"), completion(GOOD))
    responder = EndpointResponder(f"{fake.url}#vlm")
    assert responder.respond(PICTURES[:1], [ASKED])[0].text == GOOD
    assert waits == [7, chat.LONGEST_WAIT_SECONDS]
    fake.replies(busy, busy, busy)
    with pytest.raises(InputError, match=rf"answered {status} after 3 tries \(busy\)"):
        responder.respond(PICTURES[:1], [ASKED])
    assert len(fake.requests) == 6


def test_other_failures_are_not_asked_again(fake: FakeServer) -> None:
    fake.replies((400, {}, b'{"error": {"message": "no pictures here"}}'))
    with pytest.raises(InputError, match=r"answered 400 .*no pictures here"):
        EndpointResponder(f"{fake.url}#vlm").respond(PICTURES[:1], [ASKED])
    assert len(fake.requests) == 1


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        ((401, {}, b"{}"), "an API key is needed (401); set OPENAI_API_KEY"),
        ((404, {}, b'{"message": "no model vlm"}'), "no model vlm"),
        ((200, {}, b"<html>"), "not JSON"),
        ((200, {}, b"\xff\xfe"), "not JSON"),
        ((200, {}, b"[1]"), "choices"),
        ((200, {}, b'{"choices": []}'), "choices"),
        ((200, {}, b'{"choices": [{"message": "x"}]}'), "choices"),
        ((200, {}, b'{"choices": [{"message": {"content": 5}}]}'), "content is int"),
    ],
)
def test_a_bad_answer_is_one_line_with_the_url(fake: FakeServer, reply: Reply, says: str) -> None:
    fake.replies(reply)
    with pytest.raises(InputError) as failed:
        EndpointResponder(f"{fake.url}#vlm").respond(PICTURES[:1], [ASKED])
    assert f"{fake.url}/chat/completions: " in str(failed.value) and "\n" not in str(failed.value)
    assert says in str(failed.value)


def test_no_server_is_one_line_with_the_url(fake: FakeServer) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        with pytest.raises(InputError, match=f"{url}/chat/completions: cannot be reached"):
            EndpointResponder(f"{url}#vlm").respond(PICTURES[:1], [ASKED])
        with pytest.raises(InputError, match=f"{url}/models: cannot be reached"):
            open_responder(url)


def test_a_name_that_is_no_text_is_one_line(fake: FakeServer) -> None:
    with pytest.raises(InputError, match="not valid text"):
        EndpointResponder(f"{fake.url}#\udcff").respond(PICTURES[:1], [ASKED])


@pytest.mark.parametrize("name", ["http://#vlm", "http://host:port/v1#vlm", "https:///v1#vlm", "http://[::1/v1#vlm"])
def test_a_bad_address_is_refused_before_anything_is_sent(name: str) -> None:
    with pytest.raises(InputError, match="valid is http://HOST:PORT/v1#MODEL"):
        open_responder(name)


@pytest.mark.parametrize("name", ["http://me:secret@host/v1#vlm", "https://host/v1?key=secret#vlm"])
def test_a_secret_in_the_address_is_refused_and_not_repeated(name: str) -> None:
    with pytest.raises(InputError, match="OPENAI_API_KEY") as failed:
        open_responder(name)
    assert "secret" not in str(failed.value)


def test_predict_shows_draws_and_writes_what_an_endpoint_says(
    fake: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (64, 32), (200, 30, 30)).save(tmp_path / "red.png")
    picture, out = str(tmp_path / "red.png"), tmp_path / "out.png"

    def predict(*options: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["graspwise", "predict", picture, "--model", f"{fake.url}#vlm", *options])
        with pytest.raises(SystemExit) as stopped:
            main()
        return int(stopped.value.code or 0), *capsys.readouterr()

    code, shown, _ = predict("--json")
    value = json.loads(shown)
    assert (code, value["model"], value["mode"]) == (0, f"{fake.url}#vlm", "plain")
    assert (value["reasoning"], value["model_text"]) == ("A mug, held by its handle.", GOOD)
    # The middle of the square is the middle of the picture.
    assert (value["grasp"]["x"], value["grasp"]["y"]) == (0.25, 0.5)
    assert value["text"].splitlines() == [
        "A mug, held by its handle.", "Grasp point coordinates: [0.250, 0.500]", "Rotation angle in radians: +0.30",
    ]  # fmt: skip
    square = sent_picture(fake.requests[0])
    assert square.shape == (IMAGE_SIZE, IMAGE_SIZE, 3)
    assert square[IMAGE_SIZE // 2, 5].tolist() == [200, 30, 30]

    fake.reply = lambda request: completion("I see no mug.")
    code, shown, said = predict("--out", str(out))
    assert (code, shown.splitlines()) == (0, ["I see no mug.", f"drawn in {out}"])
    assert said == f"graspwise: {picture}: the answer holds no valid grasp\n"
    drawn = np.asarray(Image.open(out))
    # The words are below the picture, and nothing is on it.
    height = np.flatnonzero((drawn == (200, 30, 30)).all(2).any(1)).max() + 1
    assert (drawn[:height] == (200, 30, 30)).all() and height < drawn.shape[0]
    assert (drawn[height:] < 100).any()

    fake.reply = lambda request: (401, {}, b"")
    code, shown, _ = predict("--json")
    assert code == 2 and "OPENAI_API_KEY" in json.loads(shown)["error"]
