"""A picture as a person sees it: upright 8-bit RGB, with metric depth where there is some.

    open_picture(path)            a file, whatever a phone, a scanner or a depth camera wrote into it
    open_depth(path)              a depth picture alone, in metres
    as_picture(source)            a path, an array or a Pillow image, for the Python API

Everything downstream may rely on `Picture`; nothing downstream opens a file or asks for a colour mode again.
"""

import os
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image

from graspwise.errors import InputError

MIN_SIDE = 16
MAX_PIXELS = 100_000_000
DEPTH_UNITS = {"mm": 0.001, "m": 1.0}

# Only formats that hold a bitmap and need no outside program (EPS would start Ghostscript).
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "PPM", "JPEG2000", "AVIF")
VALID = "valid are complete JPEG, PNG, WebP, TIFF, GIF, BMP, PPM, JPEG 2000 and AVIF files"

ORIENTATION_TAG = 0x0112
# EXIF orientation to what brings the stored rows and columns into the order they are displayed in.
UPRIGHT: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a[::-1].swapaxes(0, 1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: a[:, ::-1].swapaxes(0, 1),
}

_WARNINGS_LOCK = threading.Lock()


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture as displayed: EXIF orientation applied, transparency over white.

    Attributes:
        rgb: Array (height, width, 3), uint8, red first. OpenCV's are blue first: reverse their last axis.
        depth: Array (height, width), float32, metres along the optical axis, NaN where nothing was
            measured; or None.
        path: The file it came from, or None.
    """

    rgb: np.ndarray
    depth: np.ndarray | None = None
    path: Path | None = None

    @property
    def width(self) -> int:
        return int(self.rgb.shape[1])

    @property
    def height(self) -> int:
        return int(self.rgb.shape[0])

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.width, self.height


def open_picture(path: Path | str, *, depth_path: Path | str | None = None, depth_unit: str = "auto") -> Picture:
    """Open a picture file, of an animation the first frame.

    Grey of more than 8 bits: the smallest of 8, 10, 12, 14 and 16 bits that holds the brightest pixel becomes
    0..255, so that a 16-bit copy of an 8-bit picture gives that picture. Float grey: 0..1 if it stays within,
    else its own minimum to maximum. Colour profiles are not applied.

    Args:
        path: The picture, 16 x 16 pixels to 100 megapixels.
        depth_path: A depth picture aligned with it pixel by pixel: 16-bit PNG or TIFF (0 = hole), or float
            TIFF as Cornell's (0, negative and non-finite = holes).
        depth_unit: "mm", "m", or "auto": integers are millimetres, floats are metres.

    Raises:
        InputError: no such file, not a picture, damaged, too small, too large; depth of another size or unit.
    """
    source = Path(path)
    rgb = _read(source, _to_rgb)
    depth = None
    if depth_path is not None:
        depth = open_depth(depth_path, unit=depth_unit)
        if depth.shape != rgb.shape[:2]:
            raise InputError(
                f"{depth_path}: depth is {depth.shape[1]}x{depth.shape[0]} pixels, {source} is "
                f"{rgb.shape[1]}x{rgb.shape[0]}; both must have the same size as displayed"
            )
    return Picture(rgb, depth, source)


def open_depth(path: Path | str, *, unit: str = "auto") -> np.ndarray:
    """Open a depth picture.

    Args:
        path: 16-bit PNG or TIFF (0 = hole), or float TIFF as Cornell's (0, negative and non-finite = holes).
        unit: "mm", "m", or "auto": integers are millimetres, floats are metres.

    Returns:
        Array (height, width), float32, metres along the optical axis, NaN = hole.

    Raises:
        InputError: no such file, not a depth picture, no depth in it, or a median depth that shows a wrong unit.
    """
    if unit != "auto" and unit not in DEPTH_UNITS:
        raise InputError(f"depth unit: found {unit!r}; valid are auto, {', '.join(DEPTH_UNITS)}")
    stored = _read(Path(path), _to_depth)
    if unit == "auto":
        unit = "mm" if np.issubdtype(stored.dtype, np.integer) else "m"
    metres = stored.astype(np.float32) * np.float32(DEPTH_UNITS[unit])
    metres[~(np.isfinite(metres) & (metres > 0))] = np.nan
    if np.isnan(metres).all():
        raise InputError(f"{path}: no pixel has a depth above 0")
    middle = float(np.nanmedian(metres))
    # The dearest mistake with depth is a factor of 1000, and it is easy to see.
    if not 0.01 <= middle <= 100:
        raise InputError(
            f"{path}: read in {unit} its median depth is {middle:.3g} m; valid is 0.01 to 100: is that its unit?"
        )
    return metres


def as_picture(source: "Path | str | np.ndarray | Image.Image | Picture") -> Picture:
    """Take what a caller of the Python API has in hand.

    Args:
        source: A path, a `Picture` (returned as it is), a Pillow image (its EXIF orientation is applied), or
            an array: uint8 (height, width, 3) RGB, (height, width, 4) RGBA or (height, width) grey, or uint16
            (height, width) grey. Arrays are copied.

    Raises:
        InputError: the file, the image or the array is not a picture as above.
    """
    if isinstance(source, Picture):
        return source
    if isinstance(source, str | os.PathLike):
        return open_picture(source)
    if isinstance(source, np.ndarray):
        _check_array(source)
        _check_size(source.shape[1], source.shape[0], name="picture array")
        return Picture(_decode(Image.fromarray(source), _to_rgb, name="picture array"))
    if isinstance(source, Image.Image):
        _check_size(*source.size, name="picture image")
        return Picture(_decode(source, _to_rgb, name="picture image"))
    raise InputError(
        f"picture: found {type(source).__name__}; valid are a path, a numpy array, a Pillow image and a Picture"
    )


def _read(path: Path, convert: Callable[[Image.Image], np.ndarray]) -> np.ndarray:
    """The file's first frame, upright, through `convert`; its size is judged by the header."""
    _check_file(path)
    try:
        with open(path, "rb") as file:
            image = _identify(file, name=str(path))
            _check_size(*image.size, name=str(path))
            return _decode(image, convert, name=str(path))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error


def _check_file(path: Path) -> None:
    # os.path answers False, where Path raises, for names that no file can have.
    if not os.path.exists(path):
        raise InputError(f"{path}: no such file")
    if os.path.isdir(path):
        raise InputError(f"{path}: a folder, not a picture; name the picture files in it")
    if not os.path.isfile(path):
        raise InputError(f"{path}: not a regular file")
    if os.path.getsize(path) == 0:
        raise InputError(f"{path}: an empty file (0 bytes); {VALID}")


def _identify(file: IO[bytes], *, name: str) -> Image.Image:
    """Parse the header with Pillow's reader for the format.

    `Image.open` does the same, but warns above 89 megapixels and has no limit that is set for one call.
    """
    Image.init()
    prefix = file.read(16)
    found = "an unknown format"
    for kind in FORMATS:
        reader, accepts = Image.OPEN.get(kind, (None, None))
        if reader is None or accepts is None or accepts(prefix) is not True:
            continue
        file.seek(0)
        try:
            # Without a name Pillow does not map the file, where cutting it short meanwhile ends the process.
            return reader(file, "")
        except Image.DecompressionBombError as error:
            raise InputError(f"{name}: at most {MAX_PIXELS // 10**6} megapixels are read ({error})") from error
        except Exception as error:
            found = f"a damaged {kind} header: {_reason(error)}"
    raise InputError(f"{name}: not a picture that can be read ({found}); {VALID}")


def _check_size(width: int, height: int, *, name: str) -> None:
    if min(width, height) < MIN_SIDE:
        raise InputError(f"{name}: {width}x{height} pixels; at least {MIN_SIDE}x{MIN_SIDE} are needed")
    if width * height > MAX_PIXELS:
        raise InputError(
            f"{name}: {width}x{height} pixels are {width * height / 1e6:.1f} megapixels; "
            f"at most {MAX_PIXELS // 10**6} are read"
        )


def _check_array(array: np.ndarray) -> None:
    colour = array.ndim == 3 and array.shape[2] in (3, 4) and array.dtype == np.uint8
    grey = array.ndim == 2 and array.dtype in (np.uint8, np.uint16)
    if not (colour or grey):
        raise InputError(
            f"picture array: found shape {array.shape} of {array.dtype}; valid are uint8 (height, width, 3), "
            "(height, width, 4) and (height, width), and uint16 (height, width)"
        )


def _decode(image: Image.Image, convert: Callable[[Image.Image], np.ndarray], *, name: str) -> np.ndarray:
    try:
        with _no_bomb_warning(image):
            image.load()
        array = convert(image)
        # Asked for after loading: Pillow turns TIFF by itself then, and PNG may carry EXIF behind the pixels.
        turn = UPRIGHT.get(_orientation(image))
        return array if turn is None else np.ascontiguousarray(turn(array))
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    except Exception as error:  # decoders raise nearly anything on damaged data
        raise InputError(f"{name}: damaged or cut short ({_reason(error)}); {VALID}") from error


@contextmanager
def _no_bomb_warning(image: Image.Image) -> Iterator[None]:
    """Silence the warning that Pillow repeats when it loads a TIFF between its own limit and ours.

    Warning filters belong to the whole process, so they are touched only where this warning can come.
    """
    limit = Image.MAX_IMAGE_PIXELS
    if limit is None or image.width * image.height <= limit:
        yield
        return
    with _WARNINGS_LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ORIENTATION_TAG, 1))
    except Exception:  # damaged EXIF raises nearly anything, and the picture can be read without it
        return 1


def _to_rgb(image: Image.Image) -> np.ndarray:
    """Array (height, width, 3), uint8, of a loaded image of any mode."""
    if image.mode.startswith(("I", "F")):
        return np.repeat(_grey_to_8_bits(np.asarray(image))[:, :, None], 3, axis=2)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.new("RGB", image.size, "white")
        image.paste(layer, mask=layer.getchannel("A"))
    # Converting RGB to RGB would copy it.
    return np.array(image if image.mode == "RGB" else image.convert("RGB"))


def _grey_to_8_bits(grey: np.ndarray) -> np.ndarray:
    """Array (height, width), uint8, by the rule of `open_picture`."""
    if np.issubdtype(grey.dtype, np.integer):
        brightest = int(grey.max())
        low, high = 0.0, float(next((2**b - 1 for b in (8, 10, 12, 14, 16) if brightest < 2**b), brightest))
    else:
        grey = np.nan_to_num(grey, nan=0.0, posinf=0.0, neginf=0.0)
        low, high = float(grey.min()), float(grey.max())
        if low >= 0 and high <= 1:
            low, high = 0.0, 1.0
    scaled = (grey.astype(np.float32) - low) * (255 / max(high - low, 1e-12))
    eight: np.ndarray = np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)
    return eight


def _to_depth(image: Image.Image) -> np.ndarray:
    if not image.mode.startswith(("I", "F")):
        raise InputError(f"depth of mode {image.mode}; valid are 16-bit grey PNG or TIFF and float TIFF")
    return np.array(image)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
