"""Pictures from a client: what is read, and that nothing else is ever opened."""

import base64
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from served import picture_bytes

from graspwise.errors import InputError
from graspwise.server.pictures import MOST_SCANS, open_upload, read_base64, scans
from graspwise.server.problem import Problem

PIXELS = 10_000


@given(data=st.binary(min_size=1), columns=st.integers(4, 90))
def test_base64_and_data_urls_give_the_bytes_back(data, columns):
    text = base64.b64encode(data).decode()
    folded = "\n".join(text[i : i + columns] for i in range(0, len(text), columns))
    for form in (text, folded, f"data:image/png;base64,{text}", f"data:image/jpeg;charset=x;base64,{text}"):
        assert read_base64(form) == data


@pytest.mark.parametrize(
    "text, why",
    [
        ("https://example.com/mug.jpg", "address or a path"),
        ("HTTP://localhost/x", "address or a path"),
        ("file:///etc/passwd", "address or a path"),
        ("/etc/passwd.", "address or a path"),
        ("../secret.png", "address or a path"),
        ("~/mug.jpg", "address or a path"),
        ("data:image/png,plain", "address or a path"),
        ("data:image/png;base64,???", "not base64"),
        ("data:image/png;base64,", "not base64"),
        ("mug.jpg", "not base64"),
        ("Ä", "not base64"),
        ("", "not base64"),
    ],
)
def test_what_is_no_base64_is_refused(text, why):
    with pytest.raises(InputError, match=why):
        read_base64(text)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM"])
def test_a_picture_is_read_as_displayed(kind):
    assert open_upload(picture_bytes((80, 40), kind), pixels=PIXELS).size == (80, 40)


def test_a_phones_picture_is_turned():
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (80, 40)).save(buffer, "JPEG", exif=exif)
    assert open_upload(buffer.getvalue(), pixels=PIXELS).size == (40, 80)


def test_too_many_pixels_are_refused_by_the_header_alone():
    with pytest.raises(Problem, match="400x400 pixels; at most 10000") as raised:
        open_upload(picture_bytes((400, 400)), pixels=PIXELS)
    assert raised.value.status == 413
    # A header of a hundred thousand by a hundred thousand, with nothing behind it.
    bomb = b"P6 100000 100000 255\n" + bytes(64)
    with pytest.raises(Problem) as raised:
        open_upload(bomb, pixels=PIXELS)
    assert raised.value.status == 413


@given(data=st.binary(max_size=300))
def test_bytes_that_are_no_picture_are_bad_input(data):
    with pytest.raises(InputError):
        open_upload(data, pixels=PIXELS)


@given(data=st.data(), kind=st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"]))
def test_a_damaged_picture_is_read_or_bad_input(data, kind):
    whole = bytearray(picture_bytes((40, 30), kind))
    cut = data.draw(st.integers(1, len(whole)))
    for place, value in data.draw(st.lists(st.tuples(st.integers(0, cut - 1), st.integers(0, 255)), max_size=6)):
        whole[place] = value
    try:
        picture = open_upload(bytes(whole[:cut]), pixels=PIXELS)
    except InputError:
        return
    except Problem as problem:
        assert problem.status == 413
        return
    assert picture.rgb.dtype == np.uint8 and picture.width * picture.height <= PIXELS


def progressive(*, repeated: int) -> bytes:
    """A JPEG whose last scan comes so many times."""
    buffer = io.BytesIO()
    thumbnail = Image.Exif()
    thumbnail[0x010E] = "\xff\xda".encode("latin-1").decode("latin-1") * 200
    Image.effect_noise((64, 64), 80).convert("RGB").save(buffer, "JPEG", progressive=True, exif=thumbnail)
    whole = buffer.getvalue()
    last = whole.rindex(b"\xff\xda")
    return whole[:last] + whole[last:-2] * repeated + whole[-2:]


def test_a_jpeg_of_very_many_scans_is_refused_before_it_is_decoded(monkeypatch):
    whole = progressive(repeated=1)
    usual = scans(whole)
    assert 2 < usual < 20
    # A film behind a phone's picture is none of its scans, nor is what stands in its description.
    assert scans(whole + b"\xff\xda" * 500) == usual
    assert open_upload(whole + b"\xff\xda" * 500, pixels=PIXELS).size == (64, 64)
    bomb = progressive(repeated=MOST_SCANS)
    assert scans(bomb) == usual - 1 + MOST_SCANS
    monkeypatch.setattr("graspwise.server.pictures.as_picture", lambda image: pytest.fail("it was decoded"))
    with pytest.raises(InputError, match=f"{usual - 1 + MOST_SCANS} scans; valid is at most {MOST_SCANS}"):
        open_upload(bomb, pixels=PIXELS)
