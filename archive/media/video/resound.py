"""Sound of any kind into stereo at one rate, on the film's clock: gaps filled with silence, overlaps cut."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import av.error
from av.audio.frame import AudioFrame
from av.filter import Graph
from av.filter.context import FilterContext


class Resampler:
    """Resamples frame after frame. When the sound changes its kind midway, the graph is built anew."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._graph: tuple[Graph, FilterContext, FilterContext] | None = None
        self._inputs: tuple[object, ...] = ()
        self._base = Fraction(0)
        self.end = Fraction(0)

    def resample(self, frame: AudioFrame, time: Fraction) -> Iterator[AudioFrame]:
        """Put a frame in that is heard at a time; give what comes out."""
        inputs = (frame.format.name, frame.layout.name, frame.sample_rate)
        if inputs != self._inputs:
            first = not self._inputs
            yield from self.finish()
            self._graph, self._inputs = self._build(frame, first=first), inputs
        assert self._graph is not None
        frame.pts, frame.time_base = round(time * frame.sample_rate), Fraction(1, frame.sample_rate)
        self.end = time + Fraction(frame.samples, frame.sample_rate)
        self._graph[1].push(frame)
        yield from self._drain()

    def finish(self) -> Iterator[AudioFrame]:
        """Give what is left."""
        if self._graph is not None:
            self._graph[1].push(None)
            yield from self._drain()
        self._graph = None

    def _drain(self) -> Iterator[AudioFrame]:
        assert self._graph is not None
        while True:
            try:
                resampled = self._graph[2].pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            assert isinstance(resampled, AudioFrame)
            yield resampled

    def _build(self, frame: AudioFrame, *, first: bool) -> tuple[Graph, FilterContext, FilterContext]:
        graph = Graph()
        graph.threads = 1
        source = graph.add(
            "abuffer",
            sample_rate=str(frame.sample_rate),
            sample_fmt=frame.format.name,
            channel_layout=frame.layout.name,
            time_base=f"1/{frame.sample_rate}",
        )
        start = ":first_pts=0" if first else ""  # sound that begins later is preceded by silence
        filters = [
            source,
            graph.add("aresample", f"{self._rate}:async=1{start}"),
            graph.add("aformat", "sample_fmts=fltp:channel_layouts=stereo"),
            graph.add("asetnsamples", "n=1024:p=0"),
            graph.add("abuffersink"),
        ]
        for one, other in pairwise(filters):
            one.link_to(other)
        graph.configure()
        return graph, source, filters[-1]
