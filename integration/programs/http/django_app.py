"""The same in Django, for WSGI and for ASGI, with plain and asynchronous views."""

import asyncio
import os
import time

import django
from bus import bus
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import include, path, re_path

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="s", LOGGING_CONFIG=None, USE_TZ=True)
django.setup()
ASYNC = os.environ.get("VIEWS") == "async"


def placed(_request, order_id: int) -> HttpResponse:
    time.sleep(0.01)
    bus.emit("placed", order_id)
    return HttpResponse("placed", status=201)


async def placed_async(_request, order_id: int) -> HttpResponse:
    await asyncio.sleep(0.01)
    bus.emit("placed", order_id)
    return HttpResponse("placed", status=201)


def failing(_request) -> HttpResponse:
    bus.emit("failing")
    raise LookupError("no such thing")


def streamed(_request) -> StreamingHttpResponse:
    def chunks():
        for chunk in ("one", "two"):
            bus.emit("chunk", chunk)
            yield chunk

    async def chunks_async():
        for chunk in ("one", "two"):
            await asyncio.sleep(0.001)
            bus.emit("chunk", chunk)
            yield chunk

    return StreamingHttpResponse(chunks_async() if ASYNC else chunks())


urlpatterns = [
    path("orders/<int:order_id>/items", placed_async if ASYNC else placed),
    re_path(r"^fails$", failing),
    path("api/", include([path("stream", streamed)])),
]
wsgi = get_wsgi_application()
asgi = get_asgi_application()
