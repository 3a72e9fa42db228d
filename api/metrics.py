"""What Prometheus reads: requests as the API processes saw them, jobs and workers as the tables say."""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from api import counters
from api.deps import MetricsCaller, Transaction
from api.problems import responses
from archive.queue import service as queue

router = APIRouter(tags=["operating"])


@router.get(
    "/metrics",
    response_class=Response,
    responses=responses(401, 403)
    | {200: {"content": {"text/plain": {"example": 'tagphoto_jobs{kind="upkeep.prune",state="done"} 3.0'}}}},
)
async def metrics(_caller: MetricsCaller, session: Transaction) -> Response:
    """Show the metrics to Prometheus; it needs an API key with the scope ``metrics``."""
    tables = CollectorRegistry()
    jobs = Gauge("tagphoto_jobs", "Jobs by kind and state.", ["kind", "state"], registry=tables)
    for kind, states in (await queue.summary(session)).items():
        for state, count in states.items():
            jobs.labels(kind, state).set(count)
    oldest = Gauge(
        "tagphoto_jobs_oldest_ready_seconds", "How long the oldest runnable job has waited.", registry=tables
    )
    oldest.set(await queue.oldest_wait(session))
    workers = Gauge("tagphoto_workers", "Live worker processes.", registry=tables)
    workers.set(await queue.live_workers(session))
    return Response(generate_latest(counters.registry()) + generate_latest(tables), media_type=CONTENT_TYPE_LATEST)
