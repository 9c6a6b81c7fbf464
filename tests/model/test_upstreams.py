"""Several servers of one model: who gets a request, who is left out, and what is asked again."""

import threading
import time
from contextlib import ExitStack

import numpy as np
import pytest
from llguidance import LLMatcher
from vllm_wire import GOOD, FakeVllm, named, several

from graspwise.answer import parse_grasp
from graspwise.chat import Endpoint, Unavailable
from graspwise.conversation import assistant_turn, user_turn
from graspwise.errors import InputError
from graspwise.model import upstreams
from graspwise.model.endpoint import EndpointResponder
from graspwise.model.load import load_model
from graspwise.model.manner import HELD, INSTRUCTION, UNTUNED, Manner, trained_manner
from graspwise.model.upstreams import Upstreams
from graspwise.picture import Picture
from graspwise.vlm.coordinates import THOUSAND
from graspwise.vlm.registry import family_named
from graspwise.vlm.tiny import write_tiny

PICTURE = Picture(np.zeros((32, 32, 3), np.uint8))
ASKED = [user_turn("Pick up the mug.")]
# As the instruction for a general model asks for it.
BARE = "A mug, held by its handle.\n[0.250, 0.500], +0.30"
TRAINED = Manner(instruction="", pattern=".*")


def balanced(count: int) -> tuple[Upstreams, list[float]]:
    now = [100.0]
    found = Upstreams([Endpoint(f"http://{i}/v1", "m") for i in range(count)], clock=lambda: now[0])
    return found, now


def ask(responder: EndpointResponder, on_text=lambda row, text: None):
    """The outcome of one question."""
    told = {}
    responder.respond_each([PICTURE], [ASKED], tell=told.__setitem__, stop=lambda row: False, on_text=on_text)
    return told[0]


def test_the_one_with_the_fewest_under_way_gets_the_next():
    found, _ = balanced(3)
    with ExitStack() as stack:
        first = [stack.enter_context(found.seat()) for _ in range(3)]
        assert set(first) == set(found.all)
        with found.seat() as fourth:
            assert fourth.under_way == 2
    # All are free again, and each has its turn.
    turns = []
    for _ in range(6):
        with found.seat() as upstream:
            turns.append(upstream)
    assert all(turns.count(upstream) == 2 for upstream in found.all)


def test_one_that_fails_is_left_out_longer_each_time_and_checked_before_it_is_back(monkeypatch):
    found, now = balanced(2)
    bad, good = found.all
    looked, well = [], [False]

    def look(upstream):
        looked.append(upstream)
        if not well[0]:
            raise Unavailable("still down")

    monkeypatch.setattr(upstreams, "look", look)
    found.failed(bad)
    for _ in range(3):
        with found.seat() as upstream:
            assert upstream is good
    assert not looked
    now[0] += upstreams.REST_SECONDS
    with found.seat() as upstream:
        # It is asked beside the request, which goes elsewhere.
        assert upstream is good
    until(lambda: bad.failures == 2)
    assert looked == [bad] and bad.rests_until == now[0] + 2 * upstreams.REST_SECONDS
    well[0] = True
    now[0] += 2 * upstreams.REST_SECONDS
    with found.seat():
        pass
    until(lambda: not bad.rests_until)
    with found.seat() as upstream:
        assert upstream is bad
    for _ in range(20):
        found.failed(bad)
    assert bad.rests_until == now[0] + upstreams.LONGEST_REST_SECONDS


def test_where_all_are_left_out_the_first_to_be_back_is_asked():
    found, now = balanced(2)
    found.failed(found.all[1])
    now[0] += 0.1
    found.failed(found.all[0])
    with found.seat() as upstream:
        assert upstream is found.all[1]
    with found.seat(besides=[found.all[1]]) as upstream:
        assert upstream is found.all[0]


def test_vllm_is_held_to_the_grammar_and_told_of_word_by_word(serve):
    (fake,) = several(serve, 1, text=BARE)
    texts = []
    response = ask(EndpointResponder(named([fake]), manner=HELD), on_text=lambda row, text: texts.append((row, text)))
    assert (response.text, response.grasp.x) == (BARE, 0.25)
    (body,) = fake.bodies
    assert body["structured_outputs"] == {"regex": HELD.pattern} and body["stream"] is True
    assert [row for row, _ in texts] == [0] * len(texts) and len(texts) > 3
    assert all(BARE.startswith(text) for _, text in texts) and texts[-1][1] == BARE
    # Whole batches are asked in one piece each.
    assert EndpointResponder(named([fake]), manner=HELD).respond([PICTURE], [ASKED])[0].grasp == response.grasp
    assert fake.bodies[1]["stream"] is False and fake.bodies[1]["structured_outputs"]


def test_another_server_and_another_manner_get_no_field_of_vllms(serve):
    (other,) = several(serve, 1, owner="somebody")
    assert ask(EndpointResponder(named([other]), manner=HELD)).grasp is not None
    (fake,) = several(serve, 1)
    assert ask(EndpointResponder(named([fake]), manner=UNTUNED)).grasp is not None
    for body in (*other.bodies, *fake.bodies):
        assert "structured_outputs" not in body and "stream" not in body


def test_the_grammars_are_ones_that_llguidance_takes_and_allow_the_answers(tmp_path):
    write_tiny(family_named("qwen3-vl"), tmp_path / "tiny")
    model = load_model(str(tmp_path / "tiny"))
    values = {"x": 0.25, "y": 0.5, "theta": 0.3}
    numbers = {**values, "x": model.coordinates.number(0.25), "y": model.coordinates.number(0.5)}
    own = model.coordinates.schema.render(numbers, answer_format="reasoned", reasoning="A mug.")
    for pattern, text in ((HELD.pattern, BARE), (model.coordinates.schema.pattern("reasoned"), own)):
        matcher = LLMatcher(model.grammar_tokens, LLMatcher.grammar_from_regex(pattern))
        ids = model.tokenizer(text, add_special_tokens=False)["input_ids"]
        assert not matcher.get_error() and matcher.consume_tokens(ids) and matcher.is_accepting()


def test_a_trained_model_is_asked_in_its_own_words_places_and_size(serve, run_export, tmp_path):
    folder = run_export("qwen3-vl")
    manner = trained_manner(str(folder))
    model = load_model(str(folder))
    assert (manner.image_size, manner.coordinates, manner.answer_format) == (model.image_size, THOUSAND, "reasoned")
    assert manner.pattern == THOUSAND.schema.pattern("reasoned")
    written = "A mug.\nGrasp point coordinates: [250, 500]\nRotation angle in radians: +0.30"
    (fake,) = several(serve, 1, text=written)
    responder = EndpointResponder(named([fake]), manner=manner)
    earlier = "A mug.\nGrasp point coordinates: [0.100, 0.900]\nRotation angle in radians: +0.10"
    asked = [user_turn("Grasp [0.500, 0.250] <|im_end|> now"), assistant_turn(earlier), user_turn("Left", image=False)]
    response = responder.respond([PICTURE], [asked])[0]
    assert (response.grasp.x, response.grasp.y, response.grasp.theta) == (0.25, 0.5, 0.3)
    assert parse_grasp(response.text)[1] == response.grasp
    first, second, third = fake.bodies[0]["messages"]
    # What opens a turn cannot be said, and places are the model's own.
    assert first["content"][1]["text"].split() == ["Grasp", "[500,", "250]", "now"]
    assert "[100, 900]" in second["content"] and third["content"] == "Left"
    assert INSTRUCTION not in str(fake.bodies)


def test_what_fails_before_a_word_is_asked_of_another_and_the_failing_one_left_out(serve, monkeypatch):
    monkeypatch.setattr(upstreams, "REST_SECONDS", 1000.0)
    monkeypatch.setattr(upstreams, "LONGEST_REST_SECONDS", 1000.0)
    servers = several(serve, 2)
    bad, good = servers
    bad.status = 500
    responder = EndpointResponder(named(servers), manner=TRAINED)
    for _ in range(3):
        assert ask(responder).text == GOOD
    # Its models were asked for once, to know whether it is vLLM; that failed, and no question followed.
    assert (bad.checks, bad.bodies, len(good.bodies)) == (1, [], 3)


def test_one_that_is_well_again_gets_its_share_again(serve, monkeypatch):
    monkeypatch.setattr(upstreams, "REST_SECONDS", 0.01)
    servers = several(serve, 2)
    bad = servers[0]
    bad.status = 503
    responder = EndpointResponder(named(servers), manner=TRAINED)
    assert ask(responder).text == GOOD
    bad.status = 200

    def asked_again() -> bool:
        ask(responder)
        return len(bad.bodies) > 1

    until(asked_again)
    assert not responder.upstreams.all[0].rests_until


def test_a_server_that_is_gone_and_one_that_breaks_off_without_a_word_cost_nothing(serve):
    servers = several(serve, 3)
    servers[0].server.socket.close()
    servers[1].breaks_after = 0
    responder = EndpointResponder(named(servers), manner=TRAINED)
    assert [ask(responder).text for _ in range(3)] == [GOOD] * 3


def test_after_the_first_word_nothing_is_asked_again(serve):
    servers = several(serve, 2)
    servers[0].breaks_after = 2
    texts = []
    responder = EndpointResponder(named(servers), manner=TRAINED)
    outcome = ask(responder, on_text=lambda row, text: texts.append(text))
    assert isinstance(outcome, InputError) and "the connection broke" in str(outcome)
    assert texts == ["A ", "A mug, "] and servers[1].bodies == []
    assert ask(responder).text == GOOD and len(servers[1].bodies) == 1


def test_each_is_asked_once_where_all_fail_and_a_refusal_is_no_failure(serve):
    servers = several(serve, 3)
    for fake in servers:
        fake.status = 500
    responder = EndpointResponder(named(servers), manner=UNTUNED)
    assert "answered 500" in str(ask(responder))
    assert [len(fake.bodies) for fake in servers] == [1, 1, 1]
    for fake in servers:
        fake.status = 400
    assert "answered 400" in str(ask(responder))
    assert sum(len(fake.bodies) for fake in servers) == 4


def test_many_questions_are_spread_over_the_servers(serve):
    servers = several(serve, 2)
    for fake in servers:
        fake.gate.clear()
    responder = EndpointResponder(named(servers), manner=UNTUNED)
    told = {}
    asking = threading.Thread(
        target=responder.respond_each,
        args=([PICTURE] * 8, [ASKED] * 8),
        kwargs={"tell": told.__setitem__, "stop": lambda row: False},
    )
    asking.start()
    for fake in servers:
        for _ in range(4):
            assert fake.arrived.acquire(timeout=60)
    for fake in servers:
        fake.gate.set()
    asking.join(timeout=60)
    assert sorted(told) == list(range(8)) and [len(fake.bodies) for fake in servers] == [4, 4]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("http://a/v1#m,http://b/v1#n", "found the models m, n"),
        ("http://a/v1,http://a/v1/#m", "names a server twice"),
        ("http://a/v1,#m", "valid is http://HOST:PORT/v1#MODEL"),
    ],
)
def test_a_bad_list_of_servers_is_refused_in_one_line(name, says):
    with pytest.raises(InputError, match=says) as failed:
        EndpointResponder(name)
    assert "\n" not in str(failed.value)


def until(true, *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not become true"
        time.sleep(0.005)


@pytest.fixture
def run_export(tmp_path):
    """Exports of tiny random models, by family."""
    from graspwise.model.export import write_export

    def export(family):
        write_tiny(family_named(family), tmp_path / "base")
        folder = tmp_path / "export"
        folder.mkdir()
        write_export(folder, load_model(str(tmp_path / "base")), name=family)
        return folder

    return export


def test_the_fake_refuses_what_its_grammar_does_not_allow(serve):
    fake = FakeVllm("no numbers")
    serve(fake.server)
    assert "500" in str(ask(EndpointResponder(named([fake]), manner=HELD)))
