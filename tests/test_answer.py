import math
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graspwise.answer import (
    FORMATS,
    GRASP,
    POINT,
    REASONING_LIMIT,
    AnswerError,
    AnswerFormat,
    AnswerSchema,
    Number,
    parse_grasp,
    render_grasp,
)
from graspwise.grasp import Grasp, angle_difference

laws = settings(max_examples=100, deadline=None)
formats = st.sampled_from(FORMATS)
grasps = st.builds(Grasp, x=st.floats(0, 1), y=st.floats(0, 1), theta=st.floats(-4, 4))

# What a reasoning is made of; the grammar allows no digits, the reader does.
LETTERS = "abcdefghijklmnopqrstuvwxyz ABCMUG.,;:!?'\"()-–äθ="
plain_reasonings = st.text(LETTERS, min_size=1, max_size=80).map(str.strip).filter(bool)
free_reasonings = st.text(LETTERS + "0123456789\n", max_size=80).map(str.strip)
ordinary = st.sampled_from(
    ["I see a mug. Grip its handle at the centre", "Rotation is 2 degrees, the grasp point:", "x is the handle and"]
)


# ---------------------------------------------------------------- render and parse


@laws
@given(grasps, formats, free_reasonings | ordinary)
def test_render_and_parse_are_each_others_inverse(grasp: Grasp, answer_format: AnswerFormat, reasoning: str) -> None:
    text = render_grasp(grasp, answer_format=answer_format, reasoning=reasoning)
    found, again = parse_grasp(text)
    assert found == (reasoning if answer_format == "reasoned" else "")
    assert (again.x, again.y) == pytest.approx((grasp.x, grasp.y), abs=0.0005 + 1e-12)
    assert angle_difference(again.theta, grasp.theta) <= 0.005 + 1e-12
    assert render_grasp(again, answer_format=answer_format, reasoning=found) == text


def test_the_three_formats() -> None:
    grasp = Grasp(x=0.5234, y=0.317, theta=-0.78)
    said = {f: render_grasp(grasp, answer_format=f, reasoning=" A mug. Grip its rim. ") for f in FORMATS}
    tail = "Grasp point coordinates: [0.523, 0.317]\nRotation angle in radians: -0.78"
    assert said == {
        "bare": "[0.523, 0.317], -0.78",
        "prompted": tail,
        "reasoned": f"A mug. Grip its rim.\n{tail}",
    }


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ValueError, match="answer format 'json'; valid: reasoned, prompted, bare"):
        render_grasp(Grasp(x=0, y=0, theta=0), answer_format="json")  # type: ignore[arg-type]


# ---------------------------------------------------------------- numbers

X, THETA = GRASP.numbers[0], GRASP.numbers[2]
PERCENT, STEP = Number("share", 0, 12.5, 1), Number("turn", -180, 180, 0, signed=True)


@pytest.mark.parametrize(
    ("number", "value", "text"),
    [
        (X, 0, "0.000"),
        (X, -0.0, "0.000"),
        (X, 1, "1.000"),
        (X, 0.9996, "1.000"),
        (X, -0.2, "0.000"),
        (X, 7, "1.000"),
        (THETA, 0, "+0.00"),
        (THETA, -0.004, "+0.00"),
        (THETA, -0.006, "-0.01"),
        (THETA, math.pi / 2, "+1.57"),
        (THETA, -math.pi / 2, "-1.57"),
        (THETA, 1.5, "+1.50"),
        (PERCENT, 3, "03.0"),
        (STEP, -4.6, "-005"),
    ],
)
def test_numbers_have_a_fixed_width(number: Number, value: float, text: str) -> None:
    assert number.render(value) == text


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_only_finite_numbers_are_written(value: float) -> None:
    with pytest.raises(ValueError, match=r"theta is .*; valid is a finite number"):
        THETA.render(value)


@pytest.mark.parametrize(("low", "high", "signed"), [(-1, 1, False), (0, 1, True), (-1, 2, True), (0, 0, False)])
def test_a_range_without_fixed_width_is_refused(low: float, high: float, signed: bool) -> None:
    with pytest.raises(ValueError, match="valid is 0 to high, if signed -high to high"):
        Number("n", low, high, 2, signed=signed)


@laws
@given(st.sampled_from([X, THETA, PERCENT, STEP]), st.floats(-400, 400))
def test_the_pattern_takes_what_is_written(number: Number, value: float) -> None:
    text = number.render(value)
    assert re.fullmatch(number.pattern, text)
    assert float(text) == pytest.approx(min(max(value, number.low), number.high), abs=0.5001 * 10**-number.decimals)


@pytest.mark.parametrize("number", [X, THETA, PERCENT, STEP], ids=lambda n: n.name)
def test_the_pattern_takes_nothing_else_of_that_width(number: Number) -> None:
    """Every text of the same form, a thousand to twenty thousand of them."""
    width = len(number.render(0)) - number.signed
    digits = width - (number.decimals > 0)
    signs = ("+", "-") if number.signed else ("",)
    for count in range(10**digits):
        text = f"{count:0{digits}d}"
        if number.decimals:
            text = f"{text[: -number.decimals]}.{text[-number.decimals :]}"
        for sign in signs:
            assert bool(re.fullmatch(number.pattern, sign + text)) == (float(text) <= number.high)


NOT_WRITTEN = {
    "theta": [
        "1.58",
        "+1.58",
        "-1.60",
        "+2.00",
        "0.78",
        "+0.7",
        "+0.780",
        "+.78",
        "+0,78",
        "++0.78",
        "+0.78 ",
        "−0.78",
    ],
    "x": ["1.001", "0.52", "0.5234", ".523", "+0.523", "-0.523", "0,523", "1", "1.0", "2.000", "0.52a", "٠.٥٢٣", ""],
}


@pytest.mark.parametrize(("number", "text"), [(n, t) for n in (X, THETA) for t in NOT_WRITTEN[n.name]])
def test_the_pattern_refuses_other_texts(number: Number, text: str) -> None:
    assert not re.fullmatch(number.pattern, text)


# ---------------------------------------------------------------- the grammar of an answer


@laws
@given(grasps, formats, plain_reasonings)
def test_the_pattern_takes_a_rendered_answer(grasp: Grasp, answer_format: AnswerFormat, reasoning: str) -> None:
    text = render_grasp(grasp, answer_format=answer_format, reasoning=reasoning)
    assert re.fullmatch(GRASP.pattern(answer_format), text)
    for other in FORMATS:
        assert other == answer_format or not re.fullmatch(GRASP.pattern(other), text)
    for damaged in (text[:-1], text + "0", text + "\n", text.replace("[", "("), text.replace(", ", ",")):
        assert not re.fullmatch(GRASP.pattern(answer_format), damaged)


@settings(max_examples=50, deadline=None)
@given(st.data(), formats)
def test_whatever_the_grammar_lets_through_parses(data: st.DataObject, answer_format: AnswerFormat) -> None:
    text = data.draw(st.from_regex(re.compile(GRASP.pattern(answer_format), re.ASCII), fullmatch=True))
    _, grasp = parse_grasp(text)
    assert [GRASP.numbers[0].render(grasp.x), GRASP.numbers[1].render(grasp.y)] == re.findall(r"\d\.\d{3}", text)[-2:]
    assert grasp.theta == float(text[-5:])


@pytest.mark.parametrize(
    ("reasoning", "allowed"),
    [
        ("A mug; grip its handle – firmly!", True),
        ("a" * REASONING_LIMIT, True),
        ("a" * (REASONING_LIMIT + 1), False),
        ("A mug with 2 handles.", False),
        ("A mug [red].", False),
        ("A mug <image>.", False),
        ("A mug.\nGrip it.", False),
        ("", False),
    ],
)
def test_a_reasoning_is_one_line_without_digits_or_brackets(reasoning: str, allowed: bool) -> None:
    text = render_grasp(Grasp(x=0.5, y=0.5, theta=0), answer_format="reasoned", reasoning=reasoning)
    assert bool(re.fullmatch(GRASP.pattern("reasoned"), text)) == allowed


# ---------------------------------------------------------------- what models write

TAIL = "[0.523, 0.317], -0.78"
READ: dict[str, str] = {
    "as it should be": TAIL,
    "full stop": TAIL + ".",
    "more text": TAIL + ". This holds the handle.",
    "blanks": "  \n[ 0.523 ,  0.317 ] ,  -0.78 \n",
    "no blanks": "[0.523,0.317],-0.78",
    "no comma after the bracket": "[0.523, 0.317] -0.78",
    "no commas": "[0.523 0.317] -0.78",
    "semicolons": "[0.523; 0.317]; -0.78",
    "parentheses": "(0.523, 0.317), -0.78",
    "braces": "{0.523, 0.317}, -0.78",
    "three in one bracket": "[0.523, 0.317, -0.78]",
    "three in parentheses": "The grasp is (0.523, 0.317, -0.78).",
    "nested brackets": "[[0.523, 0.317], -0.78]",
    "one a line": "[\n  0.523,\n  0.317,\n  -0.78\n]",
    "names": "x=0.523, y=0.317, theta=-0.78",
    "names with blanks": "x = 0.523, y = 0.317, theta = -0.78",
    "names with colons, one a line": "x: 0.523\ny: 0.317\ntheta: -0.78",
    "capital names": "X: 0.523, Y: 0.317, Theta: -0.78",
    "names in words": "x is 0.523 and y is 0.317, and the angle is -0.78 radians",
    "greek": "(x=0.523, y=0.317), θ = -0.78",
    "names in brackets": "[x=0.523, y=0.317], theta=-0.78",
    "names before": "[x, y], theta = [0.523, 0.317], -0.78",
    "JSON": '{"x": 0.523, "y": 0.317, "theta": -0.78}',
    "JSON of a point": '{"grasp_point": [0.523, 0.317], "rotation_angle": -0.78}',
    "fenced": "```\n[0.523, 0.317], -0.78\n```",
    "fenced JSON": '```json\n{"x": 0.523, "y": 0.317, "theta": -0.78}\n```',
    "inline code": "`[0.523, 0.317], -0.78`",
    "bold": "**Grasp point coordinates:** [0.523, 0.317]\n**Rotation angle in radians:** -0.78",
    "bold words": "**Grasp point coordinates**: [0.523, 0.317]\n**Rotation angle**: **-0.78**",
    "a list": "- Grasp point coordinates: [0.523, 0.317].\n- Rotation angle (radians): -0.78",
    "a list of names": "- **x**: 0.523\n- **y**: 0.317\n- **theta**: -0.78",
    "CRLF": "Grasp point coordinates: [0.523, 0.317]\r\nRotation angle in radians: -0.78\r\n",
    "lower case": "grasp point coordinates: [0.523, 0.317]\nrotation angle in radians: -0.78",
    "a sentence": "Grasp point coordinates are [0.523, 0.317], with a rotation angle of -0.78 radians.",
    "an orientation": "Center: (0.523, 0.317), orientation: -0.78 rad",
    "LaTeX": "$[0.523, 0.317], \\theta = -0.78$",
    "minus sign": "[0.523, 0.317], \u22120.78",
    "en dash": "[0.523, 0.317], \u20130.78",
    "wide minus": "[0.523, 0.317], \uff0d0.78",
    "more decimals": "[0.5230, 0.31700], -0.7800",
    "no zero": "[.523, .317], -.78",
    "exponents": "[5.23e-1, 3.17E-1], -7.8e-1",
    "degrees": "[0.523, 0.317], -44.69 degrees",
    "degree sign": "[0.523, 0.317], -44.69\N{DEGREE SIGN}",
    "degrees before": "[0.523, 0.317]\nRotation angle in degrees: -44.69",
    "degrees in parentheses": "[0.523, 0.317], angle (deg) = -44.69",
    "radians and degrees": "[0.523, 0.317], -0.78 radians (-44.69 degrees)",
    "a half-turn more": "[0.523, 0.317], 2.3616",
    "a half-turn less": "[0.523, 0.317], -3.9216",
    "two tails, the last counts": "[0.1, 0.2], +0.30\nNo, rather:\n[0.523, 0.317], -0.78",
    "a refined tail": "Grasp point coordinates: [0.1, 0.9]\nRotation angle in radians: +0.3\nBetter: " + TAIL,
    "a tail without angle first": "The rim is at [0.1, 0.2]. So " + TAIL,
    "a box first": "The mug fills [0.1, 0.2, 0.6, 0.7]. " + TAIL,
    "digits in the reasoning": "It is 9.5 cm wide, has 2 handles (1 hidden), version 1.2.3, x 4.\n" + TAIL,
}


@pytest.mark.parametrize("text", READ.values(), ids=READ)
def test_reads_what_models_write(text: str) -> None:
    _, grasp = parse_grasp(text)
    assert (grasp.x, grasp.y) == pytest.approx((0.523, 0.317))
    assert grasp.theta == pytest.approx(-0.78, abs=1e-4)


@pytest.mark.parametrize(
    ("text", "theta"),
    [("[0.5, 0.3], 0", 0), ("[0, 1], +1.57", 1.57), ("(0.5, 0.3), 90°", math.pi / 2), ("[0.5, 0.3], -1.5708", -1.5708)],
)
def test_whole_numbers_and_limits(text: str, theta: float) -> None:
    assert angle_difference(parse_grasp(text)[1].theta, theta) < 1e-9


@pytest.mark.parametrize(
    ("text", "reasoning"),
    [
        ("A mug with 2 handles.\nGrasp point coordinates: [0.5, 0.3]\nRotation angle: 0.1", "A mug with 2 handles."),
        ("A mug.\n\n**Grasp point coordinates:** [0.5, 0.3]\n**Rotation angle:** 0.1", "A mug."),
        ("Grip the rim.\r\nGrasp point coordinates: [0.5, 0.3]\r\nRotation angle: 0.1", "Grip the rim."),
        ('Grip the rim:\n```json\n{"x": 0.5, "y": 0.3, "theta": 0.1}\n```', "Grip the rim:"),
        ("Grip it at the centre\n[0.5, 0.3], 0.1", "Grip it at the centre"),
        ("x=0.5, y=0.3, theta=0.1", ""),
        ("First [0.2, 0.2], 0.3. Better [0.5, 0.3], 0.1", "First [0.2, 0.2], 0.3. Better"),
    ],
)
def test_the_reasoning_is_what_stands_before_the_tail(text: str, reasoning: str) -> None:
    found, grasp = parse_grasp(text)
    assert found == reasoning
    assert (grasp.x, grasp.y, grasp.theta) == (0.5, 0.3, 0.1)


REFUSED: dict[str, tuple[str, str]] = {
    "empty": ("", "no grasp in ''"),
    "blank": (" \n\t ", "no grasp in ''"),
    "an apology": ("I cannot pick that up.", "no grasp in 'I cannot pick that up.'"),
    "no numbers": ("Grasp point coordinates: [x, y]", "no grasp"),
    "one number": ("[0.523]", "no grasp"),
    "no angle": ("[0.5, 0.3]", "no grasp"),
    "no angle, in words": ("Grasp point coordinates: [0.523, 0.317]\nRotation angle in radians:", "no grasp"),
    "an angle somewhere else": ("[0.5, 0.3] is the handle of cup 2", "no grasp"),
    "angle before, not after": ("theta = 0.2, at [0.5, 0.3]", "no grasp"),
    "three numbers in a sentence": ("Between 0.5, 0.3 and 0.2", "no grasp"),
    "numbers without brackets": ("0.523, 0.317, 0.780", "no grasp"),
    "pixels": ("[523, 317], 0.2", "x is 523; valid is 0 to 1"),
    "pixels of three": ("[523, 317, 45]", "x is 523"),
    "percent": ("[52%, 31%], 0.2", "no grasp"),
    "percent, all of it": ("[52, 31], 20%", "no grasp"),
    "x too large": ("[1.2, 0.3], 0.2", "x is 1.2; valid is 0 to 1"),
    "x negative": ("[-0.1, 0.3], 0.2", "x is -0.1; valid is 0 to 1"),
    "y too large": ("[0.5, 1.01], 0.2", "y is 1.01; valid is 0 to 1"),
    "degrees without unit": ("[0.5, 0.3], 45", "theta is 45; valid is -1.57 to 1.57"),
    "many turns": ("[0.5, 0.3], 3600 degrees", "theta is 3600"),
    "nan": ("[nan, 0.3], 0.2", "no grasp"),
    "infinite": ("[0.5, 0.3], inf", "no grasp"),
    "overflow": ("[0.5, 0.3], 1e999", "theta is 1e999"),
    "a version": ("[1.2.3], 0.2", "no grasp"),
    "versions": ("[0.5, 0.3], 1.2.3", "no grasp"),
    "a box": ("[0.1, 0.2, 0.3, 0.4]", "no grasp"),
    "a box with an angle": ("[0.1, 0.2, 0.3, 0.4], 0.5", "no grasp"),
    "a list of many": ("[0.1, 0.2], 0.3, 0.4, 0.5", "no grasp"),
    "decimal commas": ("[0,5; 0,3], -0,7", "no grasp"),
    "decimal commas that pass for points": ("[0,1; 0,3], -0,7", "no grasp"),
    "a share of pi": ("[0.5, 0.3], 0.25π", "no grasp"),
    "a share of pi, in letters": ("[0.5, 0.3], 0.25 * pi", "no grasp"),
    "pi": ("[0.5, 0.3], pi/4", "no grasp"),
    "a fraction": ("[0.5, 0.3], 3.14/4", "no grasp"),
    "arithmetic": ("[0.5, 0.3+0.2]", "no grasp"),
    "a dash or a sign": ("[0.5, 0.3], angle - 0.2", "no grasp"),
    "centimetres": ("[0.5, 0.3], 0.2cm", "no grasp"),
    "cut short": ("Grasp point coordinates: [0.523, 0.3", "no grasp"),
    "another name": ("max: 0.5, 0.3, 0.2", "no grasp"),
    "the last tail is wrong": ("[0.5, 0.3], 0.2. No: [523, 317], 0.2", "x is 523"),
}


@pytest.mark.parametrize(("text", "says"), REFUSED.values(), ids=REFUSED)
def test_refuses_the_rest_with_a_reason(text: str, says: str) -> None:
    with pytest.raises(AnswerError) as caught:
        parse_grasp(text)
    assert says in str(caught.value)
    assert "valid is" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_refusal_quotes_a_long_text_in_short() -> None:
    with pytest.raises(AnswerError) as caught:
        parse_grasp("word\n" * 1000)
    assert len(str(caught.value)) < 150


def test_a_refusal_shows_an_answer_that_would_do() -> None:
    parse_grasp(GRASP.example)
    POINT.parse(POINT.example)


@pytest.mark.parametrize(
    "unit",
    ["a", "a ", "the ", "[", "[ ", "0.5 ", "[0.5,0.3]", "[0.5, 0.3] the ", "x is ", " ", "\n", "`", "-", "[0.1 "],
)
def test_long_nonsense_is_refused_at_once(unit: str) -> None:
    text = unit * (10_000 // len(unit))
    started = time.process_time()
    with pytest.raises(AnswerError):
        parse_grasp(text + "!")
    assert time.process_time() - started < 1


# ---------------------------------------------------------------- other tasks


@laws
@given(st.floats(0, 1), st.floats(0, 1), formats, plain_reasonings)
def test_pointing_is_a_second_task(x: float, y: float, answer_format: AnswerFormat, reasoning: str) -> None:
    text = POINT.render({"x": x, "y": y}, answer_format=answer_format, reasoning=reasoning)
    assert re.fullmatch(POINT.pattern(answer_format), text)
    found, values = POINT.parse(text)
    assert found == (reasoning if answer_format == "reasoned" else "")
    assert values == pytest.approx({"x": x, "y": y}, abs=0.0005 + 1e-12)


def test_the_texts_of_a_point() -> None:
    values = {"x": 0.5, "y": 0.25}
    assert POINT.render(values, answer_format="bare") == "[0.500, 0.250]"
    assert POINT.render(values, answer_format="reasoned", reasoning="Red.") == "Red.\nPoint coordinates: [0.500, 0.250]"
    for text in ("(0.5, 0.25)", "x=0.5, y=0.25", "The point is at [0.5, 0.25].", '{"point": [0.5, 0.25]}'):
        assert POINT.parse(text)[1] == values


@pytest.mark.parametrize(
    "text", ["[0.5]", "0.5, 0.25", "[0.1, 0.2, 0.3]", "[0.1, 0.2, 0.3, 0.4]", "[0.5, 2]", "[0.5%, 1%]"]
)
def test_refuses_what_is_no_point(text: str) -> None:
    with pytest.raises(AnswerError, match=r"valid is"):
        POINT.parse(text)


def test_a_schema_of_ones_own() -> None:
    """One number or five, an angle that is not last, and every character with a meaning of its own in the literals."""
    force = AnswerSchema("force", (Number("n", 0, 40, 1),), bare="[{n}]", prompted="Force{{2}} (N) = {{{n}}}?*+|^$.\\")
    assert force.render({"n": 4.25}, answer_format="prompted") == "Force{2} (N) = {04.2}?*+|^$.\\"
    assert re.fullmatch(force.pattern("prompted"), "Force{2} (N) = {39.9}?*+|^$.\\")
    assert force.parse("Force (N) = {04.2}?")[1] == {"n": 4.2}
    assert force.parse("n: 12")[1] == {"n": 12}

    numbers = (*GRASP.numbers, Number("width", 0, 1, 3), Number("shift", -1, 1, 1, signed=True))
    wide = AnswerSchema(
        "wide grasp",
        numbers,
        bare="[{x}, {y}], {theta}, {width}, {shift}",
        prompted="Tail: [{x}, {y}], angle {theta}, width {width}, shift {shift}",
    )
    values = {"x": 0.1, "y": 0.2, "theta": -0.3, "width": 0.4, "shift": -0.5}
    for answer_format in FORMATS:
        text = wide.render(values, answer_format=answer_format, reasoning="So.")
        assert re.fullmatch(wide.pattern(answer_format), text)
        assert wide.parse(text)[1] == values
    assert wide.parse("[0.1, 0.2], 90 degrees, width 0.4, shift -0.5")[1]["theta"] == pytest.approx(math.pi / 2)
    with pytest.raises(AnswerError, match=r"shift is -1\.5"):
        wide.parse("[0.1, 0.2], -0.3, width 0.4, shift -1.5")


@pytest.mark.parametrize("character", ["\x00", "\t", "\x1b", "\x85", "[", "}", "<", "7"])
def test_a_reasoning_holds_no_control_characters_brackets_or_digits(character):
    pattern = re.compile(GRASP.pattern("reasoned"))
    tail = GRASP.render({"x": 0.5, "y": 0.5, "theta": 0.1}, answer_format="reasoned", reasoning="It is a mug.")
    assert pattern.fullmatch(tail)
    assert not pattern.fullmatch(tail.replace("a mug", f"a{character} mug"))
