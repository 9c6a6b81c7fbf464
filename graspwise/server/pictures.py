"""Pictures from a client: base64, a data URL or uploaded bytes; no path and no address is ever opened."""

import base64
import io
import re

from PIL import Image

from graspwise.errors import InputError
from graspwise.picture import FORMATS, VALID, Picture, as_picture
from graspwise.server.problem import Problem

DATA_URL = re.compile(r"data:[\w.+-]+/[\w.+-]+(?:;[\w.+-]+=[^;,]*)*;base64,", re.IGNORECASE)
# Up to a marker that is no restart, no stuffing, and may have a length behind it.
MARKER = re.compile(rb"\xff+([^\x00\x01\xff\xd0-\xd7])")
START_OF_IMAGE, END_OF_IMAGE, START_OF_SCAN = b"\xd8", b"\xd9", b"\xda"
# Cameras write one scan and progressive encoders about ten; each costs a pass over all pixels.
MOST_SCANS = 100
ADDRESS = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:|/|\.{1,2}/|~|\\\\)", re.IGNORECASE)


def read_base64(text: str) -> bytes:
    """The bytes of a data URL or of plain base64.

    Raises:
        InputError: it is neither; addresses and paths are named as such.
    """
    head = DATA_URL.match(text)
    body = text[head.end() :] if head else text
    try:
        data = base64.b64decode("".join(body.split()), validate=True)
    except ValueError:
        data = b""
    if data:
        return data
    if not head and ADDRESS.match(text):
        raise InputError("image: an address or a path, which is never opened; valid is the picture itself as base64")
    raise InputError("image: not base64; valid is a picture file as base64 or as data:image/...;base64,...")


def open_upload(data: bytes, *, pixels: int) -> Picture:
    """The picture in a file's bytes, as displayed.

    Args:
        data: The file.
        pixels: As many as it may have.

    Raises:
        InputError: it is no picture, damaged, too small, or a JPEG that would take very long to read.
        Problem: it has more pixels (413).
    """
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise too_large("more", pixels) from error
    except Exception as error:  # decoders raise nearly anything on damaged headers
        raise InputError(f"image: not a picture that can be read; {VALID}") from error
    with image:
        width, height = image.size
        if width * height > pixels:
            raise too_large(f"{width}x{height}", pixels)
        if image.format in ("JPEG", "MPO") and (found := scans(data)) > MOST_SCANS:
            raise InputError(f"image: a JPEG of {found} scans; valid is at most {MOST_SCANS}")
        return as_picture(image)


def scans(data: bytes) -> int:
    """Scans of a JPEG, which a decoder goes through one after the other; what follows its end is not looked at."""
    count, place = 0, 0
    while found := MARKER.search(data, place):
        place, kind = found.end(), found[1]
        if kind == END_OF_IMAGE:
            break
        if kind == START_OF_IMAGE:
            continue
        count += kind == START_OF_SCAN
        # A thumbnail in a segment is not the picture.
        place += max(int.from_bytes(data[place : place + 2]), 2)
    return count


def too_large(found: str, pixels: int) -> Problem:
    return Problem(413, f"image: {found} pixels; at most {pixels} are taken", code="too_large", param="image")
