"""What Prometheus reads: requests as the API processes saw them, jobs and workers as the tables say."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.ext.asyncio import AsyncSession

from api import counters
from api.deps import MetricsCaller, Transaction
from api.problems import responses
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
async def metrics(_caller: MetricsCaller, session: Transaction) -> Response:
    """Show the metrics to Prometheus; it needs an API key with the scope ``metrics``."""
    tables = CollectorRegistry()
    tables.register(_Found(await _families(session)))
    return Response(generate_latest(counters.registry()) + generate_latest(tables), media_type=CONTENT_TYPE_LATEST)


async def _families(session: AsyncSession) -> list[GaugeMetricFamily]:
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
    ]
