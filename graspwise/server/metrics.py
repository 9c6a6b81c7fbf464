"""What a server tells Prometheus about itself; each server has a registry of its own."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
SIZES = (1, 2, 4, 8, 16, 32)


class Metrics:
    """Counters of one server.

    Attributes:
        requests: Finished requests by `path` and `status`.
        seconds: Time from a request's arrival to its last byte, by `path`.
        answers: Questions by `outcome`: answered, no_grasp, refused, stopped, failed.
        batches: Questions answered at once.
        seats: Requests accepted and not finished.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("graspwise_requests", "Finished requests.", ["path", "status"], registry=self.registry)
        self.seconds = Histogram(
            "graspwise_request_seconds",
            "Time from a request's arrival to its last byte.",
            ["path"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.answers = Counter("graspwise_answers", "Questions by outcome.", ["outcome"], registry=self.registry)
        self.batches = Histogram(
            "graspwise_batch_size", "Questions answered at once.", buckets=SIZES, registry=self.registry
        )
        self.seats = Gauge("graspwise_seats", "Requests accepted and not finished.", registry=self.registry)
        ProcessCollector(registry=self.registry)

    def text(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self.registry)
