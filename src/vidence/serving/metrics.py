"""What Prometheus asks for. No label bears a user's name, a file's, or a question."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Metrics:
    """The counters of one server, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        made = {"registry": self.registry, "namespace": "vidence"}
        self.requests = Counter("http_requests", "Requests.", ["method", "route", "status"], **made)
        self.seconds = Histogram("http_request_seconds", "Until the answer begins.", ["route"], **made)
        self.jobs = Gauge("jobs", "Jobs by kind and state.", ["kind", "state"], **made)
        self.ended = Counter("jobs_ended", "Jobs that ended, by how.", ["kind", "state"], **made)
        self.died = Gauge("workers_died", "Workers that died in the middle of a task.", ["pool"], **made)
        self.asks = Gauge("questions_running", "Questions being answered.", **made)
        self.received = Counter("received_bytes", "Bytes of videos that were sent.", **made)

    def text(self) -> bytes:
        """Write all in Prometheus' text format."""
        return generate_latest(self.registry)
