"""The API as strangers meet it: a real server on loopback, in a thread, and clients that may send anything."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from io import BytesIO
from typing import Any

from fastapi import FastAPI
from PIL import Image

from artnet.api import ApiSettings, create_api
from artnet.classify import Classifier
from artnet.serve import Place, bound, server_of
from artnet.service import Service, ServiceLimits, Turns

BOUNDARY = "----painting"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
PLACES = ServiceLimits(at_once=1, waiting=1, timeout_s=20)


@dataclass(frozen=True)
class Said:
    """An answer."""

    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Live:
    """A running server."""

    port: int
    service: Service
    api: FastAPI

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Said:
        """Send one request and take its answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return Said(response.status, response.headers, response.read())
        finally:
            connection.close()

    def send(self, path: str, data: bytes, **fields: str) -> Said:
        """Send a picture as a form."""
        return self.ask("POST", path, form(data, **fields), {"Content-Type": FORM})

    def raw(self) -> socket.socket:
        """Open a connection to say anything on."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)


def form(data: bytes, **fields: str) -> bytes:
    """Write a form with a picture and other fields."""
    parts = [f'name="{name}"\r\n\r\n{value}'.encode() for name, value in fields.items()]
    parts.append(b'name="file"; filename="a.png"\r\n\r\n' + data)
    head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; ".encode()
    return b"".join(head + part + b"\r\n" for part in parts) + f"--{BOUNDARY}--\r\n".encode()


def png(image: Image.Image) -> bytes:
    """Give a picture's bytes."""
    stream = BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


@contextmanager
def live(classifier: Classifier, settings: ApiSettings | None = None, limits: ServiceLimits = PLACES) -> Iterator[Live]:
    """Run a server until the block ends."""
    service = Service(classifier, limits)
    api = create_api(service, settings)
    with running(api) as port:
        yield Live(port, service, api)


@contextmanager
def running(api: FastAPI) -> Iterator[int]:
    """Serve any application; gives the port."""
    listener = bound(Place(port=0))
    server = server_of(api, shutdown_s=1)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    until(lambda: server.started)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def occupied(service: Turns, count: int) -> Iterator[None]:
    """Fill places of a service with work that ends when the block does."""
    ended = threading.Event()
    with ThreadPoolExecutor(count) as pool:
        for _ in range(count):
            pool.submit(service.run, ended.wait)
        until(lambda: service.running + service.waiting == count)
        try:
            yield
        finally:
            ended.set()
    until(lambda: service.running == 0)


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for something that another thread is about to bring about."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.002)
