"""What decoding one file may take."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Numbers a file must stay within; they travel to the child as JSON."""

    pixels: int = 200_000_000
    # All coefficients of a progressive JPEG are held until its last scan.
    progressive_pixels: int = 120_000_000
    progressive_scans: int = 100
    # A side that no camera has and on which the arithmetic of decoders overflows.
    side: int = 65_500
    frames: int = 100_000
    icc_bytes: int = 4 * MIB
    exif_bytes: int = MIB
    # Address space above what the child begins with, and as much again to find out whether memory was what was lacking.
    memory: int = 1536 * MIB
    memory_spare: int = 1024 * MIB
    cpu_seconds: int = 30
    wall_seconds: float = 90
    # All blobs of one task together.
    output_bytes: int = 64 * MIB
    open_files: int = 32
    # Of all children together, where they have a user of their own.
    threads: int = 512


DEFAULT = Limits()
