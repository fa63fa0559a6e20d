"""Read the photo of a request: its body, as it is, within the limits of size, memory and time."""
import re

from fastapi import Request
from starlette.requests import ClientDisconnect

from labeller.service.limits import MEGA, Room

AS_BODY = "send the photo itself as the body: curl --data-binary @photo.jpg URL"


class Refused(Exception):
    """A request that gets no labels: its status, the reason in one line, and after how many seconds to try again."""

    def __init__(self, status: int, reason: str, retry: int | None = None):
        super().__init__(reason)
        self.status, self.reason, self.retry = status, reason, retry


def claimed_length(request: Request) -> int:
    """The bytes that the request says it will send; 0 if it does not say. Raises Refused for what is no number."""
    told = request.headers.get("content-length") or "0"
    if not re.fullmatch(r"[0-9]{1,18}", told):
        raise Refused(400, "content-length is no number of bytes")
    return int(told)


async def drain(request: Request, most: float) -> None:
    """Read and forget up to `most` bytes: a client that is still sending would not see an answer."""
    read = 0
    try:
        async for chunk in request.stream():
            read += len(chunk)
            if read > most:
                return
    except ClientDisconnect:
        pass


class Upload:
    """The bytes of one photo, counted in `room`, in which it has entered already."""

    def __init__(self, request: Request, room: Room):
        self.request, self.room = request, room
        self.most, self.held = room.limits.megabytes * MEGA, 0

    def keep(self, size: int) -> None:
        """Count `size` bytes of the photo in all; raises Refused where that is too much."""
        if size > self.most:
            raise Refused(413, f"more than {self.room.limits.megabytes:g} MB; send a smaller photo")
        if size > self.held:
            if not self.room.hold(size - self.held):
                raise Refused(503, "too many photos at once; try again later", 1)
            self.held = size

    async def read(self) -> bytes:
        """The photo; raises Refused for none, one above the limits, or one that the client stopped sending."""
        if self.request.headers.get("content-type", "").startswith("multipart/"):
            raise Refused(415, f"a form; {AS_BODY}")
        self.keep(claimed_length(self.request))
        parts, size = [], 0
        try:
            async for chunk in self.request.stream():
                size += len(chunk)
                self.keep(size)
                parts.append(chunk)
        except ClientDisconnect:
            raise Refused(400, "the upload was interrupted") from None
        if not size:
            raise Refused(400, f"no photo; {AS_BODY}")
        return b"".join(parts)
