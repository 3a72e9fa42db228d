"""From decoded frames to pictures as they are meant: scaled, deinterlaced, in SDR, turned. One filter graph does it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal

import av.error
from av.filter import Graph
from av.filter.context import FilterContext
from av.video.frame import VideoFrame

from archive.media.video.geometry import Turn
from archive.media.video.tone import LEVEL, Hdr, hald, hdr_of

TIME_BASE = Fraction(1, 90_000)
_MATRICES = {1, 4, 5, 6, 7, 9, 10}  # numbers of ITU-T H.273 that swscale knows
_UNKNOWN, _BT709, _HD_HEIGHT = 2, 1, 720


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the pictures shall be. The size is the one after turning."""

    width: int
    height: int
    pixels: Literal["rgb24", "yuv420p"]
    turn: Turn
    deinterlace: bool = False
    threads: int = 1


class Developer:
    """Develops frame after frame. When a film changes its size or format midway, the graph is built anew."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._graph: tuple[FilterContext, FilterContext] | None = None
        self._inputs: tuple[object, ...] = ()
        self._keep: Graph | None = None

    def develop(self, frame: VideoFrame) -> Iterator[VideoFrame]:
        """Put one frame in; give what comes out: one, or when deinterlacing sometimes the one before."""
        hdr = hdr_of(frame.color_trc)
        _tame(frame)
        inputs = (frame.width, frame.height, frame.format.name, frame.colorspace, frame.color_range, hdr)
        if inputs != self._inputs:
            yield from self.finish()
            self._graph, self._inputs = self._build(frame, hdr), inputs
        assert self._graph is not None
        self._graph[0].push(frame)
        yield from self._drain()

    def finish(self) -> Iterator[VideoFrame]:
        """Give what is left."""
        if self._graph is not None:
            self._graph[0].push(None)
            yield from self._drain()
        self._graph, self._inputs = None, ()

    def _drain(self) -> Iterator[VideoFrame]:
        assert self._graph is not None
        while True:
            try:
                developed = self._graph[1].pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            assert isinstance(developed, VideoFrame)
            yield developed

    def _build(self, frame: VideoFrame, hdr: Hdr | None) -> tuple[FilterContext, FilterContext]:
        wanted, graph = self._wanted, Graph()
        graph.threads = wanted.threads
        self._keep = graph  # its filters do not keep it alive
        source = _source(graph, frame)
        chain = [source]
        if wanted.deinterlace:
            chain.append(graph.add("bwdif", "mode=send_frame:deint=interlaced"))
        width, height = (wanted.height, wanted.width) if wanted.turn.swaps else (wanted.width, wanted.height)
        colours = ":out_color_matrix=bt709:out_range=tv" if wanted.pixels == "yuv420p" else ""
        if hdr:
            chain += [graph.add("scale", f"{width}:{height}"), graph.add("format", "gbrpf32le")]
            chain.append(_toned(graph, chain[-1]))
        tail = [graph.add("scale", f"{width}:{height}{colours}"), graph.add("format", wanted.pixels)]
        tail += [graph.add(name, arguments) for name, arguments in wanted.turn.filters]
        tail.append(graph.add("buffersink"))
        if hdr:
            _link(chain[:-1])
        _link([chain[-1], *tail] if hdr else [*chain, *tail])
        graph.configure()
        if hdr:
            table = VideoFrame.from_ndarray(hald(hdr), format="rgb48le")
            table.pts, table.time_base = 0, TIME_BASE
            graph.push(table, at=1)
            graph.push(None, at=1)
        return source, tail[-1]


def _source(graph: Graph, frame: VideoFrame) -> FilterContext:
    return graph.add(
        "buffer",
        video_size=f"{frame.width}x{frame.height}",
        pix_fmt=frame.format.name,
        time_base=str(TIME_BASE),
        pixel_aspect="1/1",
        colorspace=str(frame.colorspace),
        range=str(frame.color_range),
    )


def _toned(graph: Graph, picture: FilterContext) -> FilterContext:
    """Add the table of colours beside the picture. Of the formats that haldclut takes, float planes are the fastest."""
    side = LEVEL**3
    table = graph.add(
        "buffer", video_size=f"{side}x{side}", pix_fmt="rgb48le", time_base=str(TIME_BASE), pixel_aspect="1/1"
    )
    planes, tone = graph.add("format", "gbrpf32le"), graph.add("haldclut", "clut=first:interp=tetrahedral")
    _link([table, planes])
    picture.link_to(tone, 0, 0)
    planes.link_to(tone, 0, 1)
    return tone


def _link(filters: list[FilterContext]) -> None:
    for one, other in pairwise(filters):
        one.link_to(other)


def _tame(frame: VideoFrame) -> None:
    """Take away claims about colour that swscale refuses to work with, and guess the matrix that is not told."""
    frame.color_trc = frame.color_primaries = _UNKNOWN
    if frame.format.is_rgb:
        frame.colorspace = 0
    elif frame.colorspace not in _MATRICES:
        frame.colorspace = _BT709 if frame.height >= _HD_HEIGHT else 5
    if frame.color_range not in {1, 2}:
        frame.color_range = 2 if frame.format.name.startswith("yuvj") else 1
