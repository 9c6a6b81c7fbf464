"""Every picture here is made by Pillow or written byte by byte; none is read with the code under test to judge it."""

import io
import os
import struct
import warnings
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from graspwise.errors import InputError
from graspwise.picture import Picture, as_picture, open_picture

WIDTH, HEIGHT = 36, 24
Maker = Callable[[Path], Path]


def noise(*, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def smooth(*, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Survives JPEG within a few grey levels, and no flip or turn of it equals another."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([x * 200 // width, y * 200 // height, 40 + 0 * x], axis=-1).astype(np.uint8)


def png(*, width: int, height: int, depth: int, colour: int, rows: bytes, after: bytes = b"") -> bytes:
    """A PNG of `rows` (each with its filter byte), `after` being chunks between the pixels and the end."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + after
        + chunk(b"IEND", b"")
    )


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def written(tmp_path: Path, name: str, content: bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def oriented(value: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


# ---------------------------------------------------------------- what is refused, with one line


def a_folder(tmp_path: Path) -> Path:
    (tmp_path / "folder.jpg").mkdir()
    return tmp_path / "folder.jpg"


def a_pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe.png")
    return tmp_path / "pipe.png"


def giant_webp(_: Path) -> bytes:
    canvas = (16382).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + canvas + canvas


NOISE = Image.fromarray(noise())
REFUSED: dict[str, tuple[Maker, str]] = {
    "missing": (lambda t: t / "none.jpg", "no such file"),
    "name no file can have": (lambda t: t / ("x" * 5000), "no such file"),
    "zero byte in the name": (lambda t: t / "a\0b.jpg", "no such file"),
    "folder": (a_folder, "a folder"),
    "pipe": (a_pipe, "not a regular file"),
    "empty": (lambda t: written(t, "e.jpg", b""), "0 bytes"),
    "text": (lambda t: written(t, "t.jpg", b"no picture at all, only words\n" * 9), "unknown format"),
    "text that begins like PPM": (lambda t: written(t, "t.jpg", b"P4ssword: x\n"), "not a picture"),
    "text that begins like BMP": (
        lambda t: written(t, "t.jpg", b"BMW drives past the house\n" * 9),
        "not a pic",
    ),
    "two bytes": (lambda t: written(t, "t.jpg", b"\xff\xd8"), "not a picture"),
    "header only": (lambda t: written(t, "h.png", encoded(NOISE, "PNG")[:20]), "damaged PNG header"),
    "PostScript": (
        lambda t: written(t, "p.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n"),
        "unknown format",
    ),
    "1x1": (lambda t: written(t, "s.png", encoded(Image.new("RGB", (1, 1)), "PNG")), "1x1 pixels"),
    "15 high": (lambda t: written(t, "s.png", encoded(Image.new("L", (99, 15)), "PNG")), "99x15 pixels"),
    "100.01 megapixels": (
        lambda t: written(t, "g.png", png(width=10001, height=10000, depth=8, colour=2, rows=b"")),
        "100.0 megapixels; at most 100",
    ),
    "beyond Pillow's own limit": (
        lambda t: written(t, "g.png", png(width=60000, height=60000, depth=8, colour=2, rows=b"")),
        "3600.0 megapixels",
    ),
    "giant WebP": (lambda t: written(t, "g.webp", giant_webp(t)), "at most 100 megapixels"),
}


@pytest.mark.parametrize(("make", "says"), REFUSED.values(), ids=REFUSED)
def test_refuses_in_one_line(tmp_path: Path, make: Maker, says: str) -> None:
    path = make(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError) as caught:
            open_picture(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert says in message
    assert "\n" not in message


def test_refuses_an_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, "a.png", encoded(NOISE, "PNG"))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(InputError, match=r"a\.png: cannot be read \(Permission denied\)"):
        open_picture(path)


KINDS: dict[str, tuple[str, dict[str, object]]] = {
    "jpg": ("JPEG", {}),
    "progressive": ("JPEG", {"progressive": True}),
    "png": ("PNG", {}),
    "webp": ("WEBP", {}),
    "gif": ("GIF", {}),
    "bmp": ("BMP", {}),
    "ppm": ("PPM", {}),
    "tif": ("TIFF", {}),
    "lzw": ("TIFF", {"compression": "tiff_lzw"}),
    "jp2": ("JPEG2000", {}),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("kind", KINDS)
def test_refuses_what_is_cut_short(tmp_path: Path, kind: str, share: float) -> None:
    format_name, options = KINDS[kind]
    whole = encoded(NOISE, format_name, **options)
    assert open_picture(written(tmp_path, "whole", whole)).size == (WIDTH, HEIGHT)
    cut = written(tmp_path, "cut", whole[: int(len(whole) * share)])
    with pytest.raises(InputError, match=r"cut: (not a picture that can be read|damaged or cut short)"):
        open_picture(cut)


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(sorted(KINDS)),
    changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_damage_gives_a_picture_or_one_line(tmp_path: Path, kind: str, changes: list[tuple[int, int]]) -> None:
    format_name, options = KINDS[kind]
    content = bytearray(encoded(NOISE, format_name, **options))
    for place, value in changes:
        content[place % len(content)] = value
    try:
        picture = open_picture(written(tmp_path, "damaged", bytes(content)))
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert picture.rgb.shape == (picture.height, picture.width, 3)


# ---------------------------------------------------------------- Pillow's limit is neither used nor changed


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "gif", "bmp", "tif", "lzw"])
def test_no_warning_between_pillows_limit_and_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    format_name, options = KINDS[kind]
    path = written(tmp_path, "a", encoded(NOISE, format_name, **options))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", WIDTH * HEIGHT - 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        before = list(warnings.filters)
        with ThreadPoolExecutor(4) as pool:
            sizes = {picture.size for picture in pool.map(open_picture, [path] * 8)}
        assert warnings.filters == before
    assert sizes == {(WIDTH, HEIGHT)}
    assert Image.MAX_IMAGE_PIXELS == WIDTH * HEIGHT - 1


# ---------------------------------------------------------------- EXIF orientation

# Where the stored row 0 and the stored column 0 belong as seen, in the words of the EXIF standard.
SIDES = {
    1: ("top", "left"),
    2: ("top", "right"),
    3: ("bottom", "right"),
    4: ("bottom", "left"),
    5: ("left", "top"),
    6: ("right", "top"),
    7: ("right", "bottom"),
    8: ("left", "bottom"),
}


def stored_as(shown: np.ndarray, orientation: int) -> np.ndarray:
    """The array a camera stores so that `shown` is seen."""
    row_side, column_side = SIDES[orientation]
    far = {"bottom": shown.shape[0] - 1, "right": shown.shape[1] - 1, "top": 0, "left": 0}
    upright = row_side in ("top", "bottom")
    rows, columns = shown.shape[:2] if upright else (shown.shape[1], shown.shape[0])
    r, c = np.mgrid[0:rows, 0:columns]
    along_row, along_column = np.abs(far[row_side] - r), np.abs(far[column_side] - c)
    return shown[along_row, along_column] if upright else shown[along_column, along_row]


@pytest.mark.parametrize("orientation", SIDES)
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "TIFF-LZW", "WEBP", "JPEG"])
def test_shows_as_a_phone_held_it(tmp_path: Path, kind: str, orientation: int) -> None:
    shown = smooth(width=64, height=48)
    image = Image.fromarray(stored_as(shown, orientation))
    options: dict[str, object] = {"exif": oriented(orientation)}
    if kind == "WEBP":
        options["lossless"] = True
    if kind == "TIFF-LZW":
        kind, options["compression"] = "TIFF", "tiff_lzw"
    picture = open_picture(written(tmp_path, "turned", encoded(image, kind, **options)))
    assert picture.size == (64, 48)
    difference = np.abs(picture.rgb.astype(int) - shown)
    assert difference.max() <= (12 if kind == "JPEG" else 0)
    assert picture.rgb.flags["C_CONTIGUOUS"]


def test_finds_orientation_behind_the_pixels_of_a_png(tmp_path: Path) -> None:
    rows = b"".join(b"\0" + bytes([y]) * 30 for y in range(20))
    late = chunk(b"eXIf", oriented(6).tobytes().removeprefix(b"Exif\0\0"))
    content = png(width=30, height=20, depth=8, colour=0, rows=rows, after=late)
    picture = open_picture(written(tmp_path, "late.png", content))
    assert picture.size == (20, 30)
    assert picture.rgb[0, :, 0].tolist() == list(range(19, -1, -1))


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_unknown_orientation_is_none(tmp_path: Path, value: int) -> None:
    path = written(tmp_path, "a.png", encoded(NOISE, "PNG", exif=oriented(value)))
    assert np.array_equal(open_picture(path).rgb, noise())


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0MM\0*\0\0\xff\xff", b"Exif\0\0nonsense" * 3])
def test_damaged_exif_does_not_cost_the_picture(tmp_path: Path, exif: bytes) -> None:
    path = written(tmp_path, "a.png", encoded(NOISE, "PNG", exif=exif))
    assert np.array_equal(open_picture(path).rgb, noise())


# ---------------------------------------------------------------- colour modes


def palette_with_hole() -> Image.Image:
    image = Image.new("P", (20, 20), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    image.paste(0, (0, 0, 10, 20))
    return image


def frames(kind: str) -> bytes:
    first, *rest = (Image.new("RGB", (20, 20), colour) for colour in ("red", "lime", "blue"))
    return encoded(first, kind, save_all=True, append_images=rest, **({"lossless": True} if kind == "WEBP" else {}))


def constant(value: int, mode: str) -> Image.Image:
    return Image.new(mode, (20, 20), value)


CMYK = Image.new("CMYK", (20, 20), (0, 255, 255, 0))
SHOWN: dict[str, tuple[bytes, tuple[int, int, int]]] = {
    "grey": (encoded(constant(77, "L"), "PNG"), (77, 77, 77)),
    "1 bit": (encoded(constant(1, "1"), "PNG"), (255, 255, 255)),
    "RGBA clear": (encoded(Image.new("RGBA", (20, 20), (9, 9, 9, 0)), "PNG"), (255, 255, 255)),
    "RGBA half": (encoded(Image.new("RGBA", (20, 20), (0, 100, 200, 51)), "PNG"), (204, 224, 244)),
    "RGBA full": (encoded(Image.new("RGBA", (20, 20), (1, 2, 3, 255)), "PNG"), (1, 2, 3)),
    "LA half": (encoded(Image.new("LA", (20, 20), (0, 51)), "PNG"), (204, 204, 204)),
    "grey with a clear value": (encoded(constant(7, "L"), "PNG", transparency=7), (255, 255, 255)),
    "RGB with a clear colour": (
        encoded(Image.new("RGB", (20, 20), (1, 2, 3)), "PNG", transparency=(1, 2, 3)),
        (255, 255, 255),
    ),
    "palette, clear index": (encoded(palette_with_hole(), "PNG", transparency=0), (255, 255, 255)),
    "palette, alpha list": (encoded(palette_with_hole(), "PNG", transparency=b"\0\xff"), (255, 255, 255)),
    "palette GIF, clear index": (encoded(palette_with_hole(), "GIF", transparency=0), (255, 255, 255)),
    "palette, opaque": (encoded(palette_with_hole(), "PNG"), (0, 0, 0)),
    "CMYK JPEG": (encoded(CMYK, "JPEG"), (255, 0, 0)),
    "CMYK TIFF": (encoded(CMYK, "TIFF"), (255, 0, 0)),
    "YCbCr TIFF": (encoded(Image.new("YCbCr", (20, 20), (128, 128, 128)), "TIFF"), (128, 128, 128)),
    "animated GIF": (frames("GIF"), (255, 0, 0)),
    "animated PNG": (frames("PNG"), (255, 0, 0)),
    "animated WebP": (frames("WEBP"), (255, 0, 0)),
    "two pictures in one JPEG": (frames("MPO"), (254, 0, 0)),
    "pages of a TIFF": (frames("TIFF"), (255, 0, 0)),
    "16-bit RGB PNG": (
        png(width=20, height=20, depth=16, colour=2, rows=(b"\0" + b"\x10\xff\x20\x00\x30\x80" * 20) * 20),
        (16, 32, 48),
    ),
}


@pytest.mark.parametrize(("content", "colour"), SHOWN.values(), ids=SHOWN)
def test_colour_modes(tmp_path: Path, content: bytes, colour: tuple[int, int, int]) -> None:
    picture = open_picture(written(tmp_path, "picture", content))
    assert picture.rgb.dtype == np.uint8
    assert picture.size == (20, 20)
    assert np.abs(picture.rgb[2, 2].astype(int) - colour).max() <= 1


def test_transparency_leaves_the_opaque_part(tmp_path: Path) -> None:
    path = written(tmp_path, "p.png", encoded(palette_with_hole(), "PNG", transparency=0))
    assert open_picture(path).rgb[2, 15].tolist() == [10, 20, 30]


GREY = noise()[:, :, 0]
GREY[0, :2] = 0, 255
DEEP: dict[str, tuple[np.ndarray, str, np.ndarray]] = {
    "16-bit PNG": (GREY.astype(np.uint16) * 257, "PNG", GREY),
    "16-bit TIFF": (GREY.astype(np.uint16) * 257, "TIFF", GREY),
    "big-endian TIFF": ((GREY.astype(np.uint16) * 257).astype(">u2"), "TIFF", GREY),
    "12 bits of 16": ((GREY.astype(np.uint32) * 4095 // 255).astype(np.uint16), "PNG", GREY),
    "8 bits of 16": (GREY.astype(np.uint16), "PNG", GREY),
    "32-bit integers": (GREY.astype(np.int32) * 1_000_000, "TIFF", GREY),
    "float 0..1": ((GREY / 255).astype(np.float32), "TIFF", GREY),
    "float in a unit of its own": ((GREY * 3.0 - 40).astype(np.float32), "TIFF", GREY),
}


@pytest.mark.parametrize(("stored", "kind", "shown"), DEEP.values(), ids=DEEP)
def test_deep_grey(tmp_path: Path, stored: np.ndarray, kind: str, shown: np.ndarray) -> None:
    picture = open_picture(written(tmp_path, "grey", encoded(Image.fromarray(stored), kind)))
    assert np.abs(picture.rgb.astype(int) - shown[:, :, None]).max() <= (1 if kind == "PNG" else 0)


def test_float_grey_with_holes_is_not_dark(tmp_path: Path) -> None:
    grey = np.full((20, 20), 0.5, np.float32)
    grey[0, :3] = np.nan, np.inf, -np.inf
    picture = open_picture(written(tmp_path, "f.tif", encoded(Image.fromarray(grey), "TIFF")))
    assert picture.rgb[5, 5].tolist() == [128, 128, 128]


def test_48_megapixels_keep_their_size(tmp_path: Path) -> None:
    image = Image.new("RGB", (8000, 6000), (10, 200, 30))
    image.paste((200, 10, 30), (7000, 0, 8000, 1000))
    picture = open_picture(written(tmp_path, "phone.jpg", encoded(image, "JPEG", exif=oriented(6))))
    assert picture.size == (6000, 8000)
    # The stored top right corner is the bottom right one as seen.
    assert np.abs(picture.rgb[7500, 5500].astype(int) - (200, 10, 30)).max() <= 3
    assert np.abs(picture.rgb[500, 5500].astype(int) - (10, 200, 30)).max() <= 3


# ---------------------------------------------------------------- depth


def save_depth(tmp_path: Path, depth: np.ndarray, name: str, **options: object) -> Path:
    image = Image.fromarray(depth)
    return written(tmp_path, name, encoded(image, "PNG" if name.endswith("png") else "TIFF", **options))


DEPTH = np.full((HEIGHT, WIDTH), 0.7)
DEPTH[3, 4] = 1.234
METRES: dict[str, tuple[np.ndarray, str, str]] = {
    "16-bit PNG, mm": (np.rint(DEPTH * 1000).astype(np.uint16), "d.png", "auto"),
    "16-bit TIFF, mm": (np.rint(DEPTH * 1000).astype(np.uint16), "d.tif", "mm"),
    "32-bit TIFF, mm": (np.rint(DEPTH * 1000).astype(np.int32), "d.tif", "auto"),
    "float TIFF, m": (DEPTH.astype(np.float32), "d.tiff", "auto"),
    "float TIFF, mm": ((DEPTH * 1000).astype(np.float32), "d.tiff", "mm"),
    "float TIFF, m, said": (DEPTH.astype(np.float32), "d.tiff", "m"),
}


@pytest.mark.parametrize(("stored", "name", "unit"), METRES.values(), ids=METRES)
def test_depth_is_metres_with_holes(tmp_path: Path, stored: np.ndarray, name: str, unit: str) -> None:
    stored = stored.copy()
    stored[0, 0] = 0
    if stored.dtype == np.float32:
        stored[0, 1:4] = np.nan, np.inf, -1
    picture = open_picture(
        written(tmp_path, "a.png", encoded(NOISE, "PNG")),
        depth_path=save_depth(tmp_path, stored, name),
        depth_unit=unit,
    )
    assert picture.depth is not None
    assert picture.depth.dtype == np.float32
    assert picture.depth[3, 4] == pytest.approx(1.234, abs=1e-6)
    assert picture.depth[9, 9] == pytest.approx(0.7, abs=1e-6)
    assert np.isnan(picture.depth).sum() == (4 if stored.dtype == np.float32 else 1)


def test_depth_is_turned_like_the_picture(tmp_path: Path) -> None:
    rgb = written(tmp_path, "a.png", encoded(NOISE, "PNG", exif=oriented(6)))
    depth = save_depth(tmp_path, np.rint(DEPTH * 1000).astype(np.uint16), "d.png", exif=oriented(6))
    picture = open_picture(rgb, depth_path=depth)
    assert picture.size == (HEIGHT, WIDTH)
    assert picture.depth is not None
    assert picture.depth[4, HEIGHT - 1 - 3] == pytest.approx(1.234)


BAD_DEPTH: dict[str, tuple[np.ndarray, str, str]] = {
    "other size": (np.full((HEIGHT + 1, WIDTH), 700, np.uint16), "auto", "36x25 pixels"),
    "turned": (np.full((WIDTH, HEIGHT), 700, np.uint16), "auto", "same size as displayed"),
    "8 bits": (np.full((HEIGHT, WIDTH), 70, np.uint8), "auto", "16-bit grey PNG or TIFF and float TIFF"),
    "colour": (noise(), "auto", "depth of mode RGB"),
    "holes only": (np.zeros((HEIGHT, WIDTH), np.uint16), "auto", "no pixel has a depth above 0"),
    "float mm taken for m": (np.full((HEIGHT, WIDTH), 700.0, np.float32), "auto", "is that its unit?"),
    "float m taken for mm": (np.full((HEIGHT, WIDTH), 0.7, np.float32), "mm", "is that its unit?"),
    "mm taken for m": (np.full((HEIGHT, WIDTH), 700, np.uint16), "m", "is that its unit?"),
    "unknown unit": (np.full((HEIGHT, WIDTH), 700, np.uint16), "inch", "valid are auto, mm, m"),
}


@pytest.mark.parametrize(("stored", "unit", "says"), BAD_DEPTH.values(), ids=BAD_DEPTH)
def test_bad_depth(tmp_path: Path, stored: np.ndarray, unit: str, says: str) -> None:
    rgb = written(tmp_path, "a.png", encoded(NOISE, "PNG"))
    with pytest.raises(InputError, match=says.replace("?", r"\?")) as caught:
        open_picture(rgb, depth_path=save_depth(tmp_path, stored, "d.tif"), depth_unit=unit)
    assert "d.tif" in str(caught.value) or unit == "inch"


def test_missing_depth(tmp_path: Path) -> None:
    rgb = written(tmp_path, "a.png", encoded(NOISE, "PNG"))
    with pytest.raises(InputError, match=r"d\.png: no such file"):
        open_picture(rgb, depth_path=tmp_path / "d.png")


# ---------------------------------------------------------------- what the Python API takes


def test_takes_paths_arrays_images_and_pictures(tmp_path: Path) -> None:
    path = written(tmp_path, "a.png", encoded(NOISE, "PNG"))
    for source in (path, str(path), noise(), NOISE, Image.open(path)):
        picture = as_picture(source)
        assert np.array_equal(picture.rgb, noise())
        assert picture.path == (path if isinstance(source, Path | str) else None)
        assert (picture.width, picture.height) == picture.size == (WIDTH, HEIGHT)
    assert as_picture(picture) is picture


def test_arrays_of_other_kinds() -> None:
    alpha = np.dstack([noise(), np.zeros((HEIGHT, WIDTH), np.uint8)])
    assert (as_picture(alpha).rgb == 255).all()
    assert np.array_equal(as_picture(GREY).rgb[:, :, 1], GREY)
    assert np.array_equal(as_picture(GREY.astype(np.uint16) * 257).rgb[:, :, 2], GREY)
    assert np.array_equal(as_picture(noise()[::-1, ::-1]).rgb, noise()[::-1, ::-1])


def test_an_array_is_copied() -> None:
    array = noise()
    picture = as_picture(array)
    array[:] = 0
    picture.rgb[0, 0] = 1
    assert np.array_equal(picture.rgb[1:], noise()[1:])


def test_a_pillow_image_is_turned_and_left_alone(tmp_path: Path) -> None:
    path = written(tmp_path, "a.png", encoded(NOISE, "PNG", exif=oriented(8)))
    image = Image.open(path)
    assert as_picture(image).size == (HEIGHT, WIDTH)
    assert image.size == (WIDTH, HEIGHT)
    assert image.getexif()[0x0112] == 8


BAD_SOURCES: dict[str, tuple[object, str]] = {
    "float": (noise() / 255, "float64"),
    "channels first": (noise().transpose(2, 0, 1), r"\(3, 24, 36\)"),
    "batch": (noise()[None], r"\(1, 24, 36, 3\)"),
    "bool": (GREY > 5, "bool"),
    "no rows": (np.zeros((0, 40, 3), np.uint8), "40x0 pixels"),
    "small": (np.zeros((4, 40, 3), np.uint8), "40x4 pixels"),
    "small image": (Image.new("RGB", (3, 3)), "3x3 pixels"),
    "none": (None, "found NoneType"),
    "list": ([1, 2], "found list"),
    "cut short": (Image.open(io.BytesIO(encoded(NOISE, "PNG")[:500])), "cut short"),
}


@pytest.mark.parametrize(("source", "says"), BAD_SOURCES.values(), ids=BAD_SOURCES)
def test_refuses_other_sources(source: object, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        as_picture(source)  # type: ignore[arg-type]
    assert str(caught.value).startswith("picture")


def test_an_array_over_100_megapixels_is_refused() -> None:
    huge = np.broadcast_to(np.uint8(0), (10001, 10000, 3))
    with pytest.raises(InputError, match="megapixels"):
        as_picture(huge)


def test_a_picture_is_frozen() -> None:
    with pytest.raises(AttributeError):
        Picture(noise()).rgb = noise()  # type: ignore[misc]
