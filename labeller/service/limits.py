"""What a request may take of the machine, and the room for those under way."""
import os
from dataclasses import dataclass, field
from threading import Lock

MEGA = 1_000_000


@dataclass(frozen=True)
class Limits:
    """photos and held: photos under way, and their megabytes in memory; above them the answer is 503 at once.

    megabytes, megapixels: of one photo. seconds: from a request's head to its answer. threads: photos looked at side by side,
    each thread `batch` at most, whose faces are classified together.
    """

    photos: int = 32
    held: float = 256
    megabytes: float = 20
    megapixels: float = 50
    seconds: float = 30
    batch: int = 8
    threads: int = field(default_factory=lambda: os.cpu_count() or 1)


class Room:
    """Counts the photos under way, from the first byte of their upload to the answer, and the bytes held of them."""

    def __init__(self, limits: Limits):
        self.limits, self.lock = limits, Lock()
        self.photos = self.bytes = 0

    def enter(self) -> bool:
        """Let one more photo in, if there is room."""
        with self.lock:
            free = self.photos < self.limits.photos
            self.photos += free
            return free

    def hold(self, size: int) -> bool:
        """Hold `size` more bytes, if there is room."""
        with self.lock:
            free = self.bytes + size <= self.limits.held * MEGA
            self.bytes += size * free
            return free

    def leave(self, size: int) -> None:
        """One photo is done, of which `size` bytes were held."""
        with self.lock:
            self.photos, self.bytes = self.photos - 1, self.bytes - size
