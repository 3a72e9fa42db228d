"""Camera and lens, named as people name them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archive.media.metadata.exif import Exif
from archive.media.metadata.texts import first
from archive.media.metadata.xmp import Value, text

# What makers call themselves, by how it begins; the longest first.
_MAKERS = {
    "asahi optical": "Pentax",
    "apple": "Apple",
    "blackmagic": "Blackmagic",
    "canon": "Canon",
    "casio": "Casio",
    "dji": "DJI",
    "eastman kodak": "Kodak",
    "epson": "Epson",
    "fuji photo film": "Fujifilm",
    "fujifilm": "Fujifilm",
    "general imaging": "GE",
    "gopro": "GoPro",
    "google": "Google",
    "hasselblad": "Hasselblad",
    "hewlett-packard": "HP",
    "hmd global": "Nokia",
    "honor": "Honor",
    "htc": "HTC",
    "huawei": "Huawei",
    "insta360": "Insta360",
    "arashi vision": "Insta360",
    "jenoptik": "Jenoptik",
    "kodak": "Kodak",
    "konica minolta": "Konica Minolta",
    "leaf": "Leaf",
    "leica": "Leica",
    "lg electronics": "LG",
    "lge": "LG",
    "lumicron": "Lumicron",
    "mamiya": "Mamiya",
    "minolta": "Minolta",
    "motorola": "Motorola",
    "nikon": "Nikon",
    "nokia": "Nokia",
    "nothing": "Nothing",
    "olympus": "Olympus",
    "om digital": "OM System",
    "oneplus": "OnePlus",
    "oppo": "OPPO",
    "panasonic": "Panasonic",
    "parrot": "Parrot",
    "pentax": "Pentax",
    "phase one": "Phase One",
    "polaroid": "Polaroid",
    "realme": "realme",
    "research in motion": "BlackBerry",
    "ricoh imaging": "Ricoh",
    "ricoh": "Ricoh",
    "samsung": "Samsung",
    "sanyo": "Sanyo",
    "seiko epson": "Epson",
    "sigma": "Sigma",
    "sony ericsson": "Sony Ericsson",
    "sony": "Sony",
    "vivo": "vivo",
    "xiaomi": "Xiaomi",
    "yi technology": "YI",
    "zte": "ZTE",
}
_SPACES = re.compile(r"\s+")
_DIGITAL = re.compile(r"(?: zoom)? digital (?:still )?camera$", re.IGNORECASE)
_NO_LENS = re.compile(r"[\s\-\d().,/nona]*$|unknown|n/a|.*\bno lens\b|0(\.0)?\s*mm", re.IGNORECASE)
_LENS_NOTES = re.compile(r"\s*\(\d+\)$")
# By the makers' own tables, which exiv2 knows. Not those of Canon, Minolta, Pentax, Olympus and Nikon's older ones: to
# look there exiv2 first opens a file of its user's settings, for which a child of the sandbox is killed.
_LENSES = (
    "Exif.NikonLd4.LensID",
    "Exif.OlympusEq.LensModel",
    "Exif.Panasonic.LensType",
    "Exif.Samsung2.LensType",
)
_WHO = "Exif.Photo.LensMake"


def camera_name(make: str | None, model: str | None) -> str | None:
    """Name a camera: its maker once, and its model."""
    maker, model = _maker(make), _SPACES.sub(" ", model or "").strip()
    if not model:
        return maker
    if maker is None:
        return model
    for doubled in (make or "", maker, *([_SPACES.split(maker)[0]] if " " in maker else [])):
        if doubled and model.casefold().startswith(doubled.casefold()):
            rest = model[len(doubled) :]
            if rest[:1] in (" ", "-", "_", ""):
                model = rest.lstrip(" -_") or model
                break
    # A Pentax that Ricoh makes calls itself one.
    if any(model.casefold().startswith(brand.casefold() + " ") for brand in set(_MAKERS.values())):
        maker, _, model = model.partition(" ")
        maker = _maker(maker) or maker
    return f"{maker} {_DIGITAL.sub('', model) or model}"


def _maker(make: str | None) -> str | None:
    make = _SPACES.sub(" ", make or "").strip()
    folded = make.casefold()
    for begin in sorted(_MAKERS, key=len, reverse=True):
        if folded.startswith(begin) and not folded[len(begin) : len(begin) + 1].isalpha():
            return _MAKERS[begin]
    return make or None


def make_and_model(exif: Exif, xmp: dict[str, Value]) -> tuple[str | None, str | None]:
    """Give both as written."""
    return (
        first(exif.text("Exif.Image.Make"), text(xmp.get("tiff:Make"))),
        first(exif.text("Exif.Image.Model", "Exif.Image.UniqueCameraModel"), text(xmp.get("tiff:Model"))),
    )


def serial(exif: Exif, xmp: dict[str, Value]) -> str | None:
    """Give the camera's serial number."""
    own = exif.text(
        "Exif.Photo.BodySerialNumber",
        "Exif.Image.CameraSerialNumber",
        "Exif.Canon.SerialNumber",
        "Exif.Nikon3.SerialNumber",
        "Exif.Nikon3.SerialNO",
        "Exif.Fujifilm.SerialNumber",
        "Exif.OlympusEq.SerialNumber",
        "Exif.Panasonic.InternalSerialNumber",
        "Exif.Pentax.SerialNumber",
    )
    found = first(own, text(xmp.get("exifEX:BodySerialNumber")), text(xmp.get("aux:SerialNumber")))
    return found if found and found.strip("0 ") else None


def lens_name(exif: Exif, xmp: dict[str, Value]) -> str | None:
    """Name the lens: by the lens itself, by the maker's tables, by editors, by its numbers."""
    for candidate in _lens_candidates(exif, xmp):
        if candidate and (named := _lens(candidate)):
            return _with_maker(named, exif.text(_WHO))
    return None


def _lens_candidates(exif: Exif, xmp: dict[str, Value]) -> Iterator[str | None]:
    yield exif.text("Exif.Photo.LensModel")
    yield exif.text("Exif.Canon.LensModel")
    for key in _LENSES:
        yield exif.printed(key)
    yield exif.text("Exif.Image.LensInfo") if not exif.fractions("Exif.Image.LensInfo") else None
    yield text(xmp.get("exifEX:LensModel"))
    yield text(xmp.get("aux:Lens"))
    yield _by_numbers(exif)


def _lens(written: str) -> str | None:
    named = _LENS_NOTES.sub("", _SPACES.sub(" ", written).strip())
    return None if not named or _NO_LENS.match(named) else named


def _with_maker(lens: str, maker: str | None) -> str:
    known = _maker(maker)
    # Telephones name theirs by the telephone: "iPhone 7 back camera".
    if known is None or known.casefold() in lens.casefold() or known == "Apple" or lens.isdigit():
        return lens
    return lens if known not in {"Sigma", "Tamron", "Tokina", "Zeiss"} else f"{known} {lens}"


def _by_numbers(exif: Exif) -> str | None:
    """Name a lens by what it can: "24-70mm f/2.8-4"."""
    for key in ("Exif.Photo.LensSpecification", "Exif.Image.LensInfo", "Exif.Nikon3.Lens"):
        parts = exif.fractions(key)
        if len(parts) == 4 and parts[0]:  # noqa: PLR2004  # shortest, longest, and how far both open
            return _numbered(*(f"{float(part):.3g}" for part in parts))
    canon = exif.fractions("Exif.CanonCs.Lens")  # longest, shortest, units of a millimetre
    if len(canon) == 3 and canon[1] and canon[2]:  # noqa: PLR2004
        return _numbered(f"{float(canon[1] / canon[2]):.3g}", f"{float(canon[0] / canon[2]):.3g}")
    return None


def _numbered(near: str, far: str, wide: str = "0", narrow: str = "0") -> str:
    name = f"{near}mm" if far in (near, "0") else f"{near}-{far}mm"
    if wide == "0":
        return name
    return name + (f" f/{wide}" if narrow in (wide, "0") else f" f/{wide}-{narrow}")
