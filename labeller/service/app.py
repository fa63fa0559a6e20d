"""The service: POST /label takes a photo and gives its faces' labels; / is the page, which does the same for people."""
import asyncio
import time
from contextlib import asynccontextmanager
from math import ceil
from pathlib import Path
from typing import Annotated, Literal

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from labeller.bundle import Bundle
from labeller.labeller import Labeller
from labeller.results import Photo
from labeller.service.answers import BundleAnswer, Health, PhotoAnswer, Problem
from labeller.service.batches import Batches
from labeller.service.counters import Counters
from labeller.service.limits import MEGA, Limits, Room
from labeller.service.upload import Refused, Upload, drain

STATIC = Path(__file__).parent / "static"
PROBLEMS = {400: "No photo, or an interrupted one", 408: "It was sent too slowly", 413: "Too many bytes",
            415: "A form instead of a photo", 422: "Not a photo, or unknown parameters", 503: "Too many at once: try again"}
BODY = {"requestBody": {"required": True, "description": "the photo itself: JPEG, PNG, WebP or BMP, told by its content",
                        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in
                                    ("application/octet-stream", "image/jpeg", "image/png", "image/webp", "image/bmp")}}}
HEADERS = {  # of every answer: the page loads what this service has, and nothing else
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
                               "connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()", "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin",
}


class Desk:
    """Takes photos in, has them labelled in batches, and counts."""

    def __init__(self, bundle: Bundle, limits: Limits):
        self.bundle, self.limits, self.room = bundle, limits, Room(limits)
        self.counters = Counters(self.room)
        self.labellers: dict[tuple, Labeller] = {}
        self.batches = Batches(self.label_all, limits.threads, limits.batch)
        self.pace = 0.1  # seconds a photo, a moving average

    def labeller(self, faces: str, cropped: bool, only: tuple[str, ...]) -> Labeller:
        """One for each way to be asked, which are few; all share the networks."""
        key = faces, cropped, only
        if key not in self.labellers:
            self.labellers[key] = Labeller(self.bundle, faces, cropped, only or None, 1, int(self.limits.megapixels * MEGA))
        return self.labellers[key]

    def label_all(self, asked: list[tuple[bytes, tuple]]) -> list[Photo]:
        """The results of (photo, way), in order; those asked in one way are labelled together."""
        began, out = time.monotonic(), {}
        for way in dict.fromkeys(way for _, way in asked):
            places = [i for i, (_, each) in enumerate(asked) if each == way]
            out.update(zip(places, self.labeller(*way).label_batch([asked[i][0] for i in places])))
        self.counters.batch.observe(len(asked))
        self.pace += 0.1 * ((time.monotonic() - began) / len(asked) - self.pace)
        return [out[i] for i in range(len(asked))]

    def retry_after(self) -> int:
        """Whole seconds until those under way are done, by the pace so far."""
        return max(1, ceil(self.room.photos * self.pace / self.limits.threads))

    async def label(self, request: Request, way: tuple) -> Photo:
        """The result of a request; raises Refused."""
        if not self.room.enter():
            raise Refused(503, "too many photos at once; try again later", self.retry_after())
        upload, future = Upload(request, self.room), None
        try:
            async with asyncio.timeout(self.limits.seconds):
                photo = await upload.read()
                future = self.batches.submit((photo, way))
                future.add_done_callback(lambda _: self.room.leave(upload.held))
                return await asyncio.wrap_future(future)
        except TimeoutError:
            if future is None:
                raise Refused(408, f"the photo did not arrive within {self.limits.seconds:g} s") from None
            raise Refused(503, f"not labelled within {self.limits.seconds:g} s", self.retry_after()) from None
        finally:
            if future is None:
                self.room.leave(upload.held)

    async def answer(self, request: Request, way: tuple) -> JSONResponse:
        """The answer to POST /label, counted."""
        began = time.monotonic()
        try:
            photo = await self.label(request, way)
            if photo.error:
                raise Refused(422, photo.error)
        except Refused as refused:
            await self.dismiss(request)
            self.counters.answers.labels(refused.status).inc()
            headers = {} if refused.retry is None else {"Retry-After": str(refused.retry)}
            return JSONResponse({"error": refused.reason}, refused.status, headers)
        self.counters.answers.labels(200).inc()
        self.counters.faces.inc(len(photo.faces))
        self.counters.seconds.observe(time.monotonic() - began)
        known = photo.to_dict()
        return JSONResponse({key: known[key] for key in ("width", "height", "faces")})

    async def dismiss(self, request: Request) -> None:
        """Let a client that is refused finish sending, for a second."""
        try:
            async with asyncio.timeout(1):
                await drain(request, self.limits.megabytes * MEGA)
        except (TimeoutError, RuntimeError):  # RuntimeError: it was read already
            pass


def about(bundle: Bundle, limits: Limits) -> dict:
    """The form of BundleAnswer."""
    card = bundle.card
    metrics = card["metrics"]
    return {"name": card["name"], "revision": card["made_from"]["revision"], "licence": card["licence"] or None,
            "classes": bundle.classes, "f1": metrics["f1"], "people": metrics["people"],
            "interval": None if metrics["f1"] is None else [metrics["interval"]["f1"][side] for side in ("low", "high")],
            "megabytes": limits.megabytes, "megapixels": limits.megapixels}


def create_app(bundle: Bundle, limits: Limits | None = None) -> FastAPI:
    """The application, for uvicorn."""
    limits = limits or Limits()
    desk = Desk(bundle, limits)

    @asynccontextmanager
    async def life(_):
        yield
        await asyncio.to_thread(desk.batches.close)

    app = FastAPI(title="Mask, gender and age", version=str(bundle.card["made_from"]["revision"]), lifespan=life,
                  docs_url=None, redoc_url=None)  # their pages load scripts from elsewhere
    app.add_middleware(Headers)

    @app.exception_handler(RequestValidationError)
    async def refuse(request: Request, error: RequestValidationError) -> JSONResponse:
        await desk.dismiss(request)
        first = error.errors()[0]
        return JSONResponse({"error": f"{first['loc'][1]}: {first['msg']}"}, 422)

    @app.exception_handler(HTTPException)
    async def problem(_, error: HTTPException) -> JSONResponse:
        return JSONResponse({"error": error.detail}, error.status_code, error.headers)

    attribute = Literal[tuple(bundle.classes)]

    @app.post("/label", summary="Label the faces of a photo", response_model=PhotoAnswer, openapi_extra=BODY,
              responses={status: {"model": Problem, "description": text} for status, text in PROBLEMS.items()})
    async def label(
            request: Request,
            faces: Annotated[Literal["all", "largest"], Query(description="largest: one, the middle if none is found")] = "all",
            only: Annotated[list[attribute] | None, Query(description="some of the attributes")] = None,
            cropped: Annotated[bool, Query(description="the photo is a crop of a face already")] = False):
        return await desk.answer(request, (faces, cropped, tuple(sorted(set(only or [])))))

    @app.get("/bundle", summary="What the labels come from", response_model=BundleAnswer)
    async def bundle_answer():
        return about(bundle, limits)

    @app.get("/healthz", summary="Whether photos can be labelled", response_model=Health, responses={503: {"model": Health}})
    async def healthz():
        alive = desk.batches.alive()
        return JSONResponse({"status": "ok" if alive else "failing"}, 200 if alive else 503)

    @app.get("/metrics", summary="Counters for Prometheus", response_class=PlainTextResponse)
    async def metrics():
        return PlainTextResponse(desk.counters.text())

    @app.get("/", include_in_schema=False)
    async def page():
        return FileResponse(STATIC / "index.html")

    app.mount("/static", StaticFiles(directory=STATIC))
    return app


class Headers:
    """Adds HEADERS to every answer."""

    def __init__(self, app):
        self.app, self.headers = app, [(key.lower().encode(), value.encode()) for key, value in HEADERS.items()]

    async def __call__(self, scope, receive, send):
        async def send_with_headers(message):
            if message["type"] == "http.response.start":
                message = message | {"headers": [*message["headers"], *self.headers]}
            await send(message)
        await self.app(scope, receive, send_with_headers)
