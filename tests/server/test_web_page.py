"""The web page in headless Chromium, against a live server whose model is scripted."""

import io
import json
import math
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from served import running

from graspwise.answer import parse_grasp, render_grasp
from graspwise.conversation import text_of
from graspwise.grasp import Grasp
from graspwise.model.llava_responder import LlavaResponder
from graspwise.model.responder import Response
from graspwise.predict import Model
from graspwise.server.limits import Limits

sync_api = pytest.importorskip("playwright.sync_api", reason="the page's tests need the Python package playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="the page's tests need the program chromium")
expect = sync_api.expect
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync"]  # fmt: skip
# Without motion a grasp is where it belongs as soon as it is drawn.
STILL = {"reduced_motion": "reduce"}
REASON = "The object is a bar, long and thin. Grip it across its narrow side."
EXAMPLES = Path(__file__).parents[2] / "examples"


class Scripted(LlavaResponder):
    """Starts at the middle and does what the last turn says; writes word by word, as a language model does."""

    def __init__(self) -> None:
        self.name, self.image_size, self.answer_format, self.mode = "scripted", 352, "reasoned", "grounded"
        self.go_on = threading.Event()
        self.stopped = threading.Event()

    def tokens(self, conversation):
        return 0

    def respond(self, pictures, conversations, *, on_token=None, stop=None, **_):
        return [self._one(row, conversation, on_token, stop) for row, conversation in enumerate(conversations)]

    def _one(self, row, conversation, on_token, stop):
        asked = text_of(conversation[-1]).lower()
        if "unicorn" in asked:
            text = "There is no unicorn in view."
            return Response(text=text, reasoning=text, grasp=None, refused=True)
        x, theta = 0.5, 0.3
        if len(conversation) > 1:
            said = parse_grasp(text_of(conversation[-2]))[1]
            x, theta = said.x, said.theta
        grasp = Grasp(
            x=x - 0.1 * ("left" in asked), y=0.5, theta=theta + 0.5 * ("turn" in asked),
            opening=None if "cross" in asked else 0.2,
        )  # fmt: skip
        words = REASON.split()
        for count in range(1, len(words) + 1):
            on_token(row, " ".join(words[:count]))
            if "slowly" in asked and count == 5:
                while not (self.go_on.wait(0.01) or stop(row)):
                    pass
            if stop(row):
                self.stopped.set()
                break
        text = render_grasp(grasp, answer_format="reasoned", reasoning=REASON)
        return Response(text=text, reasoning=REASON, grasp=grasp)


def served(responder: Scripted, **options):
    return running(Model(responder), limits=Limits(turns=4), examples=EXAMPLES, **options)


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[str, Scripted]]:
    responder = Scripted()
    with served(responder) as url:
        yield url, responder


@pytest.fixture
def visit(browser, site) -> Iterator[Callable]:
    """Opens the page; at the end no script may have failed, and nothing may have been asked of another machine."""
    opened, failed, asked = [], [], []

    def start(url: str = site[0], **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}} | STILL | options)
        opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: failed.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{url}/")
        return page

    yield start
    for context in opened:
        context.close()
    assert failed == []
    assert [url for url in asked if not url.startswith(("http://127.0.0.1:", "blob:", "data:"))] == []


def encoded(image: Image.Image, kind: str = "JPEG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def bar(size: tuple[int, int] = (640, 480)) -> Image.Image:
    image = Image.new("RGB", size, (225, 222, 215))
    ImageDraw.Draw(image).line((size[0] * 0.45, size[1] * 0.8, size[0] * 0.55, size[1] * 0.2), (40, 60, 120), 30)
    return image


def choose(page, image: bytes | None = None, *, name: str = "bar.jpg", mime: str = "image/jpeg") -> None:
    file = {"name": name, "mimeType": mime, "buffer": image or encoded(bar())}
    page.get_by_label("Choose a picture").set_input_files(file)
    expect(page.locator("#photo")).to_be_visible()


def ask(page, text: str, *, answers: int) -> None:
    field = page.get_by_label("What should be picked up?").or_(page.get_by_label("Answer back"))
    field.fill(text)
    field.press("Enter")
    expect(page.locator(".answer:not(.writing)")).to_have_count(answers)


def middle(page, kind: str) -> tuple[float, float]:
    """Middle of a drawn grasp, as fractions of the picture on the screen."""
    grasp, stage = (page.locator(one).bounding_box() for one in (f"g.grasp.{kind}", "#photo"))
    return (
        (grasp["x"] + grasp["width"] / 2 - stage["x"]) / stage["width"],
        (grasp["y"] + grasp["height"] / 2 - stage["y"]) / stage["height"],
    )


def shown_json(page) -> dict:
    return json.loads(page.locator("pre").last.text_content())


def test_upload_ask_refine_and_the_rectangle_moves(visit):
    page = visit()
    choose(page)
    ask(page, "Pick up the bar", answers=1)
    expect(page.locator(".answer")).to_contain_text(REASON)
    # The model's square holds the whole width of the picture.
    assert middle(page, "now") == pytest.approx((0.5, 0.5), abs=0.01)
    expect(page.locator("g.grasp.before")).to_have_count(0)
    ask(page, "further left", answers=2)
    assert middle(page, "now") == pytest.approx((0.4, 0.5), abs=0.01)
    assert middle(page, "before") == pytest.approx((0.5, 0.5), abs=0.01)
    expect(page.locator("#log")).not_to_contain_text("the same grasp")
    ask(page, "here", answers=3)
    expect(page.locator(".answer").last).to_contain_text("It is the same grasp as before.")
    assert [line["y"] for line in shown_json(page)["grasps"]] == pytest.approx([0.5], abs=1e-3)


def test_the_new_grasp_moves_from_the_old_one_by_the_nearest_turn(visit):
    page = visit(reduced_motion="no-preference")
    page.evaluate("""() => {
        window.moves = [];
        Element.prototype.animate = (frames) => window.moves.push(frames.map((frame) => frame.transform));
    }""")
    choose(page)
    # From 0.8 by 1.3 to 1.8 rad, which is written as -1.34.
    for count in range(1, 4):
        ask(page, "turn it", answers=count)
    moves = [[float(re.search(r"rotate\((.*)deg", place)[1]) for place in move] for move in page.evaluate("moves")]
    assert len(moves) == 2
    for start, end in moves:
        assert end - start == pytest.approx(math.degrees(-0.5), abs=1)


def test_old_and_new_are_compared_and_the_last_turn_is_taken_back(visit):
    page = visit()
    choose(page)
    ask(page, "Pick up the bar", answers=1)
    expect(page.get_by_label("Before")).to_be_hidden()
    ask(page, "further left", answers=2)
    for name, drawn in (("Before", ["before"]), ("Now", ["now"]), ("Both", ["before", "now"])):
        page.get_by_label(name, exact=True).check(force=True)
        kinds = [kind for kind in ("before", "now") if page.locator(f"g.grasp.{kind}").count()]
        assert kinds == drawn
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".answer")).to_have_count(1)
    assert middle(page, "now") == pytest.approx((0.5, 0.5), abs=0.01)
    ask(page, "further left", answers=2)
    # The turn that was taken back is not in the conversation any more.
    assert middle(page, "now") == pytest.approx((0.4, 0.5), abs=0.01)


def test_the_reason_is_shown_as_it_is_written(visit, site):
    site[1].go_on.clear()
    page = visit()
    choose(page)
    page.get_by_label("What should be picked up?").fill("slowly pick up the bar")
    page.keyboard.press("Enter")
    expect(page.locator(".answer.writing")).to_have_text("The object is a bar,")
    expect(page.locator("g.grasp")).to_have_count(0)
    site[1].go_on.set()
    expect(page.locator(".answer:not(.writing)")).to_contain_text(REASON)
    expect(page.locator("g.grasp.now")).to_have_count(1)


def test_stop_ends_the_work_and_gives_the_words_back(visit, site):
    site[1].go_on.clear()
    site[1].stopped.clear()
    page = visit()
    choose(page)
    page.get_by_label("What should be picked up?").fill("slowly pick up the bar")
    page.keyboard.press("Enter")
    expect(page.locator(".answer.writing")).to_have_text("The object is a bar,")
    page.get_by_role("button", name="Stop").click()
    assert site[1].stopped.wait(20)
    expect(page.locator("#log li")).to_have_count(0)
    expect(page.get_by_label("What should be picked up?")).to_have_value("slowly pick up the bar")
    expect(page.get_by_role("alert")).to_be_hidden()


def test_an_example_and_the_sentences_to_try(visit):
    page = visit()
    expect(page.locator("#examples img")).to_have_count(len(list(EXAMPLES.glob("*.jpg"))))
    page.get_by_role("button", name="hammer").click()
    page.get_by_role("button", name="Pick up the hammer").click()
    expect(page.locator("g.grasp.now")).to_have_count(1)
    page.get_by_role("button", name="Further left").click()
    expect(page.locator(".answer:not(.writing)")).to_have_count(2)
    page.get_by_role("button", name="New picture").click()
    expect(page.get_by_role("button", name="hammer")).to_be_visible()
    expect(page.locator("#log li")).to_have_count(0)


def test_an_example_of_many_things_comes_with_a_part(visit):
    page = visit()
    page.get_by_role("button", name="desk").click()
    with page.expect_request("**/v1/chat/completions") as sent:
        page.get_by_role("button", name="Pick up the pencil").click()
    assert sent.value.post_data_json["graspwise"]["workspace"] == [36, 80, 350, 280]
    expect(page.locator("g.grasp.now")).to_have_count(1)


@pytest.mark.parametrize("way", ["paste", "drop"])
def test_a_picture_is_pasted_or_dropped(visit, way):
    page = visit()
    make = """([way, bytes]) => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(bytes)], "bar.jpg", {type: "image/jpeg"}));
        const event = way === "paste" ? new ClipboardEvent("paste", {clipboardData: data, bubbles: true})
                                      : new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true});
        document.body.dispatchEvent(event);
    }"""
    page.evaluate(make, [way, list(encoded(bar()))])
    expect(page.locator("#photo")).to_be_visible()
    expect(page.get_by_label("What should be picked up?")).to_be_focused()


def test_the_pose_is_copied_as_the_object_of_the_command_line(visit):
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    choose(page)
    ask(page, "Pick up the bar", answers=1)
    page.get_by_role("button", name="Copy pose").click()
    expect(page.get_by_role("status")).to_have_text("The pose is copied.")
    copied = json.loads(page.evaluate("navigator.clipboard.readText()"))
    assert copied["image_size"] == [640, 480] and copied["model"] == "scripted"
    assert copied["grasp_px"]["x"] == pytest.approx(319.5, abs=0.5)
    assert len(copied["rectangle"]) == 4


def test_a_large_picture_is_sent_smaller_and_answered_in_its_own_pixels(visit):
    page = visit()
    # A kind that is never sent as it is.
    choose(page, encoded(bar((2000, 1500)), "GIF"), name="bar.gif", mime="image/gif")
    with page.expect_request("**/v1/chat/completions") as sent:
        ask(page, "further left", answers=1)
    url = sent.value.post_data_json["messages"][0]["content"][0]["image_url"]["url"]
    assert url.startswith("data:image/jpeg;base64,")
    answer = shown_json(page)
    assert answer["image_size"] == [2000, 1500]
    assert answer["grasp_px"]["x"] == pytest.approx(0.4 * 2000 - 0.5, abs=2)
    assert answer["grasp_px"]["opening"] == pytest.approx(0.2 * 2000, abs=2)
    xs = [x for x, _ in answer["rectangle"]]
    assert sum(xs) / 4 == pytest.approx(answer["grasp_px"]["x"], abs=0.1)
    assert middle(page, "now") == pytest.approx((0.4, 0.5), abs=0.01)


def test_a_phones_turned_picture_is_answered_as_it_is_seen(visit):
    page = visit()
    exif = Image.Exif()
    exif[0x0112] = 6
    choose(page, encoded(bar(), exif=exif))
    ask(page, "further left", answers=1)
    assert shown_json(page)["image_size"] == [480, 640]
    box = page.locator("#photo").bounding_box()
    assert box["width"] / box["height"] == pytest.approx(0.75, abs=0.01)
    # A tenth of the square is more of the picture's width, which does not fill it.
    assert middle(page, "now") == pytest.approx((0.5 - 0.1 * 640 / 480, 0.5), abs=0.01)


def test_a_grasp_without_an_opening_is_a_line_and_a_cross(visit):
    page = visit()
    choose(page)
    ask(page, "cross", answers=1)
    assert shown_json(page)["rectangle"] is None
    assert middle(page, "now") == pytest.approx((0.5, 0.5), abs=0.01)


def test_a_refusal_keeps_the_grasp_on_show(visit):
    page = visit()
    choose(page)
    ask(page, "Pick up the bar", answers=1)
    ask(page, "the unicorn instead", answers=2)
    expect(page.locator(".answer").last).to_contain_text("There is no unicorn in view.")
    assert middle(page, "now") == pytest.approx((0.5, 0.5), abs=0.01)
    expect(page.get_by_role("button", name="Copy pose")).to_have_count(1)


def test_all_by_keyboard(visit):
    page = visit()
    page.get_by_role("button", name="hammer").focus()
    page.keyboard.press("Enter")
    field = page.get_by_label("What should be picked up?")
    expect(field).to_be_focused()
    page.keyboard.type("Pick it up")
    page.keyboard.press("Enter")
    expect(page.locator(".answer:not(.writing)")).to_have_count(1)
    expect(page.get_by_label("Answer back")).to_be_focused()
    reached = []
    for _ in range(14):
        page.keyboard.press("Shift+Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim()"))
    # Backwards, in the order they are seen.
    order = [reached.index(name) for name in ("Another one", "Further left", "Undo", "Copy pose", "Look at a part")]
    assert order == sorted(order)
    assert page.evaluate("[...document.querySelectorAll('input, textarea')].every(f => f.labels.length > 0)")


def test_a_part_of_the_picture_is_chosen_by_keyboard_and_by_pointer(visit):
    page = visit()
    choose(page)
    page.get_by_role("button", name="Look at a part").press("Enter")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    with page.expect_request("**/v1/chat/completions") as sent:
        ask(page, "Pick it up", answers=1)
    # The middle half, one step of a fortieth to the right and one less high.
    box = sent.value.post_data_json["graspwise"]["workspace"]
    assert box == [176, 120, 496, 344]
    assert middle(page, "now") == pytest.approx((336 / 640, 232 / 480), abs=0.01)
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Look at all of it").click()
    page.get_by_role("button", name="Look at a part").click()
    stage = page.locator("#photo").bounding_box()
    page.mouse.move(stage["x"] + 0.5 * stage["width"], stage["y"] + 0.98 * stage["height"])
    page.mouse.down()
    page.mouse.move(stage["x"], stage["y"] + 0.5 * stage["height"], steps=4)
    page.mouse.up()
    with page.expect_request("**/v1/chat/completions") as sent:
        ask(page, "Pick it up", answers=1)
    assert sent.value.post_data_json["graspwise"]["workspace"] == pytest.approx([0, 240, 320, 470], abs=2)


@pytest.mark.parametrize(
    ("status", "headers", "body", "words"),
    [
        (413, {}, "{}", "too large"),
        (429, {"Retry-After": "7"}, "{}", "busy. Ask again in 7 seconds"),
        (503, {}, "no JSON", "shutting down"),
        (504, {}, "{}", "took too long"),
        (400, {}, '{"error": {"message": "image: found a text; valid is a picture"}}', "found a text"),
        (500, {}, "no JSON", "failed (500)"),
        (200, {}, 'data: {"error": {"message": "x", "code": "timeout"}}\n\n', "took too long"),
        (200, {}, 'data: {"choices": [{"delta": {"content": "The"}}]}\n\n', "broke off"),
        (200, {}, "data: {\n\n", "cannot be read"),
        (None, {}, "", "does not answer"),
    ],
)
def test_an_error_is_said_in_words_and_nothing_is_lost(visit, status, headers, body, words):
    page = visit()
    choose(page)
    ask(page, "Pick up the bar", answers=1)

    def fail(route):
        if status is None:
            route.abort("connectionrefused")
        else:
            route.fulfill(status=status, headers=headers, body=body, content_type="text/event-stream")

    page.route("**/v1/chat/completions", fail)
    page.get_by_label("Answer back").fill("further left")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text(words)
    expect(page.get_by_label("Answer back")).to_have_value("further left")
    expect(page.locator("g.grasp.now")).to_have_count(1)
    page.unroute("**/v1/chat/completions")
    page.keyboard.press("Enter")
    expect(page.locator(".answer:not(.writing)")).to_have_count(2)
    expect(page.get_by_role("alert")).to_be_hidden()


@pytest.mark.parametrize("width", [1280, 390])
def test_what_is_no_picture_is_refused(visit, width):
    page = visit(viewport={"width": width, "height": 800})
    page.get_by_label("Choose a picture").set_input_files(
        {"name": "notes.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"}
    )
    expect(page.get_by_role("alert")).to_contain_text("no picture this browser can show")
    expect(page.get_by_label("Choose a picture")).to_be_attached()


def test_at_the_last_turn_the_page_says_so(visit):
    page = visit()
    choose(page)
    for count in range(1, 5):
        ask(page, "turn it", answers=count)
    field = page.get_by_label("Answer back")
    expect(field).to_have_attribute("placeholder", "No more turns: undo, or start with a new picture")
    field.fill("turn it")
    expect(page.get_by_role("button", name="Ask")).to_be_disabled()


def test_a_server_with_a_key_asks_for_it(visit):
    with served(Scripted(), api_key="sesame") as url:
        page = visit(url)
        choose(page)
        page.get_by_label("What should be picked up?").fill("Pick up the bar")
        page.keyboard.press("Enter")
        page.get_by_label("API key").fill("sesame")
        page.get_by_role("button", name="Use this key").click()
        expect(page.locator("g.grasp.now")).to_have_count(1)
        expect(page.locator("#model")).to_have_text("model: scripted")
        # Idle connections of the browser would hold the server up.
        page.goto("about:blank")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_all_is_in_one_column(visit, scheme):
    page = visit(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True, color_scheme=scheme)
    expect(page.get_by_label("Take a photo")).to_have_attribute("capture", "environment")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    choose(page)
    ask(page, "Pick up the bar", answers=1)
    ask(page, "further left", answers=2)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    picture, talk, field = (page.locator(name).bounding_box() for name in ("#photo", ".talk", "#ask"))
    assert picture["width"] == pytest.approx(390, abs=1)
    assert picture["y"] + picture["height"] <= talk["y"]
    assert field["y"] + field["height"] <= 844
    expect(page.locator(".answer").last.get_by_role("button", name="Undo")).to_be_in_viewport()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(13, 17, 23)"
    assert dark == (scheme == "dark")


@pytest.mark.parametrize("kind", ["WEBP", "JPEG", "PNG"])
def test_a_turned_picture_is_seen_alike_by_page_and_server(visit, kind):
    exif = Image.Exif()
    exif[0x0112] = 6
    page = visit()
    choose(page, encoded(bar(), kind, exif=exif), name=f"bar.{kind.lower()}", mime=f"image/{kind.lower()}")
    shown = page.evaluate(
        "[document.getElementById('photo').naturalWidth, document.getElementById('photo').naturalHeight]"
    )
    ask(page, "Pick up the bar", answers=1)
    assert shown_json(page)["image_size"] == shown


def test_an_answer_about_a_picture_of_another_size_is_not_drawn(visit):
    page = visit()
    choose(page)

    def turned(route):
        told = route.fetch()
        route.fulfill(response=told, body=told.text().replace('"image_size": [640, 480]', '"image_size": [480, 640]'))

    page.route("**/v1/chat/completions", turned)
    page.get_by_label("What should be picked up?").fill("Pick up the bar")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("sees this picture turned")
    expect(page.locator("g.grasp")).to_have_count(0)


def test_the_page_outlives_its_model_and_what_is_typed_meanwhile_outlives_a_stop(visit):
    page = visit()
    choose(page)
    asked = []
    page.on("request", lambda request: asked.append(request.post_data_json) if request.method == "POST" else None)
    page.get_by_label("What should be picked up?").fill("Slowly")
    page.keyboard.press("Enter")
    expect(page.locator(".answer.writing .reason")).not_to_be_empty()
    page.locator("#ask").fill("the other one")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Ask")).to_be_visible()
    expect(page.locator("#ask")).to_have_value("the other one")
    # A server that was started again with another model would refuse the name of the first.
    assert len(asked) == 1 and "model" not in asked[0]
