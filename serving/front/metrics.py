"""What Prometheus is told beside BentoML's own figures. Labels are of few values: routes, methods and statuses that there are.

Workers keep their figures in files of `PROMETHEUS_MULTIPROC_DIR`, and whichever is asked adds all up.
"""

from __future__ import annotations

from datetime import UTC, datetime, time
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from serving.champion import Champion, Holder

_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS"})
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


class Metrics:
    """The figures of one worker. To be made once BentoML has said where they are kept."""

    def __init__(self) -> None:
        registry = CollectorRegistry()  # the files count, whatever the registry
        self._requests = Counter(
            "keepwell_requests", "Requests, by route, method and status.", ["route", "method", "status"], registry=registry
        )
        self._seconds = Histogram(
            "keepwell_request_seconds", "How long answers took.", ["route"], buckets=_SECONDS, registry=registry
        )
        self._swaps = Counter("keepwell_champion_swaps", "How often a worker took on another champion.", registry=registry)
        self._version = _gauge("keepwell_model_version", "The version of the model that answers; 0: there is none.", registry)
        self._trained = _gauge("keepwell_model_trained_as_of_seconds", "Up to when the model learned, as Unix time.", registry)
        self._registry_away = _gauge("keepwell_registry_trouble", "1 while the last look for a champion failed.", registry)
        self._store_away = _gauge("keepwell_store_trouble", "1 while the last look into the store failed.", registry)
        self._jobs = _gauge("keepwell_jobs_waiting", "Jobs that wait for their turn.", registry)
        self._champion: Champion | None = None
        self._count, self._timer = lru_cache(1024)(self._requests.labels), lru_cache(256)(self._seconds.labels)

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._count(route, method if method in _METHODS else "other", str(status)).inc()
        self._timer(route).observe(seconds)

    def champion(self, holder: Holder) -> None:
        """Take down who answers now, and whether the registry could say so."""
        now, before = holder.champion, self._champion
        self._registry_away.set(holder.trouble is not None)
        self._version.set(int(now.version) if now is not None and now.version.isdigit() else 0)
        if now is not None:
            learned = datetime.combine(now.scorer.info.trained_as_of, time(), UTC)
            self._trained.set(learned.timestamp())
        if before is not None and now is not before:
            self._swaps.inc()
        self._champion = now

    def store(self, jobs_waiting: int | None) -> None:
        """Take down how many jobs wait, and whether the store could say so (None: it could not)."""
        self._store_away.set(jobs_waiting is None)
        if jobs_waiting is not None:
            self._jobs.set(jobs_waiting)


def _gauge(name: str, meaning: str, registry: CollectorRegistry) -> Gauge:
    """A gauge of which the newest figure of any worker counts, also of one that has ended; 0 until there is one."""
    gauge = Gauge(name, meaning, registry=registry, multiprocess_mode="mostrecent")
    gauge.set(0)
    return gauge
