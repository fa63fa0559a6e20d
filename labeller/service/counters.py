"""What /metrics tells, in the format of Prometheus."""
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from labeller.service.limits import Room


class Counters:
    def __init__(self, room: Room):
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)  # memory, CPU seconds, open files
        self.answers = Counter("label_answers", "Answers to POST /label by status", ["status"], registry=registry)
        self.faces = Counter("label_faces", "Faces labelled", registry=registry)
        self.seconds = Histogram("label_seconds", "From a request's head to its labels", registry=registry)
        self.batch = Histogram("label_batch_photos", "Photos labelled together", buckets=[1, 2, 4, 8, 16], registry=registry)
        Gauge("label_photos_under_way", "Photos being sent, waiting or labelled", registry=registry) \
            .set_function(lambda: room.photos)
        Gauge("label_bytes_held", "Bytes of those photos", registry=registry).set_function(lambda: room.bytes)

    def text(self) -> bytes:
        return generate_latest(self.registry)
