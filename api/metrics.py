"""What Prometheus reads: requests as the API processes saw them, jobs and workers as the tables say."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.ext.asyncio import AsyncSession

from api import counters
from api.deps import MetricsCaller, Running, Transaction
from api.problems import responses
from archive.integrity import service as integrity
from archive.integrity.service import Figures
from archive.queue import service as queue

router = APIRouter(tags=["operating"])


class _Found(Collector):
    """Shows what was just read. Gauges would be kept in files when several processes serve, and shown once for each."""

    def __init__(self, families: list[GaugeMetricFamily]) -> None:
        self._families = families

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Give what was read."""
        return self._families


@router.get(
    "/metrics",
    response_class=Response,
    responses=responses(401, 403)
    | {200: {"content": {"text/plain": {"example": 'tagphoto_jobs{kind="upkeep.prune",state="done"} 3.0'}}}},
)
async def metrics(_caller: MetricsCaller, session: Transaction, runtime: Running) -> Response:
    """Show the metrics to Prometheus; it needs an API key with the scope ``metrics``."""
    tables = CollectorRegistry()
    tables.register(_Found(await _families(session, mirrored=runtime.vault.mirror is not None)))
    return Response(generate_latest(counters.registry()) + generate_latest(tables), media_type=CONTENT_TYPE_LATEST)


async def _families(session: AsyncSession, *, mirrored: bool) -> list[GaugeMetricFamily]:
    jobs = GaugeMetricFamily("tagphoto_jobs", "Jobs by kind and state.", labels=["kind", "state"])
    for kind, states in (await queue.summary(session)).items():
        for state, count in states.items():
            jobs.add_metric([kind, state], count)
    return [
        jobs,
        GaugeMetricFamily(
            "tagphoto_jobs_oldest_ready_seconds",
            "How long the oldest runnable job has waited.",
            value=await queue.oldest_wait(session),
        ),
        GaugeMetricFamily("tagphoto_workers", "Live worker processes.", value=await queue.live_workers(session)),
        *_integrity(await integrity.figures(session, mirrored=mirrored)),
    ]


def _integrity(found: Figures) -> list[GaugeMetricFamily]:
    figures = [
        ("integrity_objects", "Objects in the store.", found.objects),
        ("integrity_unverified", "Objects that were never verified.", found.never_verified),
        ("integrity_oldest_verified_seconds", "Since when the object that waited longest waits.", found.oldest_seconds),
        ("integrity_damaged", "Objects that are damaged and could not be healed.", found.damaged),
        ("deletions_waiting", "Objects that were purged and are still to be deleted.", found.deletions),
    ]
    if found.lag is not None:
        figures += [
            ("mirror_behind_objects", "Objects that the mirror lacks.", found.lag.objects),
            ("mirror_behind_bytes", "Bytes that the mirror lacks.", found.lag.bytes),
            ("mirror_behind_seconds", "Age of the oldest object that the mirror lacks.", found.lag.seconds),
        ]
    return [GaugeMetricFamily("tagphoto_" + name, about, value=value) for name, about, value in figures]
