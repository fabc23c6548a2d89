"""A web server on this machine that serves what a test gives it, and a IIIF image service that really scales."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any

from PIL import Image

from artnet.found import SourceRules

HERE = SourceRules(allow_private=True, timeout_s=5.0)
Answer = Callable[[BaseHTTPRequestHandler], None]


def jpeg(width: int = 40, height: int = 30, colour: str = "teal") -> bytes:
    """A plain picture."""
    buffer = BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "JPEG")
    return buffer.getvalue()


@dataclass
class Site:
    """What the server serves, by path, and the paths that were asked for."""

    url: str = ""
    pages: dict[str, bytes | Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def put(self, path: str, content: object) -> str:
        """Serve bytes, a JSON document or an answer of its own at a path; gives the address."""
        self.pages[path] = content if isinstance(content, bytes) or callable(content) else json.dumps(content).encode()
        return self.url + path


@contextmanager
def serving() -> Iterator[Site]:
    """Run a server until the block ends."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(self.path)
            page = site.pages.get(self.path)
            if page is None:
                page = next((p for path, p in site.pages.items() if path.endswith("*") and self._below(path)), None)
            with suppress(ConnectionError):
                if page is None:
                    self.send_error(404)
                elif callable(page):
                    page(self)
                else:
                    send(self, page)

        def _below(self, pattern: str) -> bool:
            return self.path.startswith(pattern.removesuffix("*"))

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def send(handler: BaseHTTPRequestHandler, data: bytes, length: int | None = None) -> None:
    """Answer with bytes, declaring another length if one is given."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(data) if length is None else length))
    handler.end_headers()
    handler.wfile.write(data)


def dying(handler: BaseHTTPRequestHandler) -> None:
    """Promise a picture and die half-way."""
    data = jpeg()
    send(handler, data[: len(data) // 2], len(data))
    handler.connection.close()


def busy(times: int, status: int = 429, data: bytes = b"a picture", **headers: str) -> Answer:
    """Refuse some times, then answer with data."""
    left = [times]

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if left[0] <= 0:
            send(handler, data)
            return
        left[0] -= 1
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def endless(handler: BaseHTTPRequestHandler) -> None:
    """Declare a hundred bytes and send for ever."""
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(bytes(2**16))


def slow(handler: BaseHTTPRequestHandler) -> None:
    """Send a byte now and then, so that only a limit on the whole helps."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(1000):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.05)


@dataclass
class ImageService:
    """A IIIF image service for one picture, which refuses whatever its level does not promise."""

    version: int = 3
    level: int = 1
    width: int = 1600
    height: int = 1200
    sizes: tuple[tuple[int, int], ...] = ()
    limits: dict[str, int] = field(default_factory=dict)

    def put(self, site: Site, path: str) -> str:
        """Serve it below a path; gives the service's address."""
        self._base = site.url + path
        site.put(f"{path}/info.json", self.info())
        site.put(f"{path}/full/*", self._answer)
        return self._base

    def info(self) -> dict[str, Any]:
        """Give what the service says of itself, in the shape of its version."""
        sizes = [{"width": width, "height": height} for width, height in self.sizes]
        about = {"protocol": "http://iiif.io/api/image", "width": self.width, "height": self.height}
        about |= {"sizes": sizes} if sizes else {}
        if self.version == 3:
            context = "http://iiif.io/api/image/3/context.json"
            own = {"id": self._base, "type": "ImageService3", "profile": f"level{self.level}", **self.limits}
            return {"@context": context, **about, **own}
        if self.version == 2:
            profile: list[Any] = [f"http://iiif.io/api/image/2/level{self.level}.json"]
            profile += [{"formats": ["jpg"], **self.limits}] if self.limits else []
            return {
                "@context": "http://iiif.io/api/image/2/context.json",
                "@id": self._base,
                **about,
                "profile": profile,
            }
        context = "http://library.stanford.edu/iiif/image-api/1.1/context.json"
        profile_1 = f"http://library.stanford.edu/iiif/image-api/1.1/compliance.html#level{self.level}"
        del about["protocol"]
        return {"@context": context, "@id": self._base, **about, "profile": profile_1}

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        size, rotation, name = handler.path.split("/full/")[1].split("/")
        found = self._size(size)
        if found is None or rotation != "0" or name != ("native.jpg" if self.version == 1 else "default.jpg"):
            handler.send_error(400)
        else:
            send(handler, jpeg(*found))

    def _size(self, text: str) -> tuple[int, int] | None:
        """Work out the size that is asked for; None where this service does not give it."""
        whole = (self.width, self.height)
        if text == ("max" if self.version == 3 else "full"):
            return None if self.limits else whole
        width, _, height = text.partition(",")
        listed = [
            size for size in self.sizes if text == (f"{size[0]},{size[1]}" if self.version == 3 else f"{size[0]},")
        ]
        if listed:
            return listed[0]
        if self.level == 0 or height or not width.isdecimal() or int(width) > self.width:
            return None
        found = int(width), max(1, round(self.height * int(width) / self.width))
        most = self.limits.get("maxWidth", 10**9), self.limits.get("maxHeight", self.limits.get("maxWidth", 10**9))
        fits = found[0] <= most[0] and found[1] <= most[1] and found[0] * found[1] <= self.limits.get("maxArea", 10**18)
        return found if fits else None


def manifest_3(address: str, bodies: list[Any], **more: Any) -> dict[str, Any]:
    """A manifest of Presentation 3, a canvas for each body."""
    return {
        "@context": "http://iiif.io/api/presentation/3/context.json",
        "id": address,
        "type": "Manifest",
        "label": {"fr": ["Un tableau"], "en": ["A painting"]},
        "items": [
            {
                "id": f"{address}/canvas/{number}",
                "type": "Canvas",
                "label": {"none": [f"f. {number}"]},
                "height": 1200,
                "width": 1600,
                "items": [
                    {
                        "id": f"{address}/page/{number}",
                        "type": "AnnotationPage",
                        "items": [
                            {
                                "id": f"{address}/annotation/{number}",
                                "type": "Annotation",
                                "motivation": "painting",
                                "body": body,
                                "target": f"{address}/canvas/{number}",
                            }
                        ],
                    }
                ],
            }
            for number, body in enumerate(bodies, start=1)
        ],
        **more,
    }


def body_3(service: str, version: int = 3) -> dict[str, Any]:
    """The body of a painting annotation of Presentation 3 with an image service."""
    kind = {"id": service, "type": "ImageService3", "profile": "level1"}
    if version == 2:
        kind = {"@id": service, "@type": "ImageService2", "profile": "http://iiif.io/api/image/2/level1.json"}
    address = f"{service}/full/max/0/default.jpg"
    about = {"id": address, "type": "Image", "format": "image/jpeg", "width": 1600, "height": 1200}
    return {**about, "service": [kind]}


def manifest_2(address: str, resources: list[Any], **more: Any) -> dict[str, Any]:
    """A manifest of Presentation 2, a canvas for each resource."""
    return {
        "@context": "http://iiif.io/api/presentation/2/context.json",
        "@id": address,
        "@type": "sc:Manifest",
        "label": [{"@value": "Un tableau", "@language": "fr"}, {"@value": "A painting", "@language": "en"}],
        "sequences": [
            {
                "@id": f"{address}/sequence/normal",
                "@type": "sc:Sequence",
                "canvases": [
                    {
                        "@id": f"{address}/canvas/{number}",
                        "@type": "sc:Canvas",
                        "label": f"p. {number}",
                        "height": 1200,
                        "width": 1600,
                        "images": [
                            {
                                "@type": "oa:Annotation",
                                "motivation": "sc:painting",
                                "resource": resource,
                                "on": f"{address}/canvas/{number}",
                            }
                        ],
                    }
                    for number, resource in enumerate(resources, start=1)
                ],
            }
        ],
        **more,
    }


def resource_2(service: str) -> dict[str, Any]:
    """The resource of a painting annotation of Presentation 2 with an image service."""
    about = {"@id": f"{service}/full/full/0/default.jpg", "@type": "dctypes:Image", "format": "image/jpeg"}
    kind = {"@context": "http://iiif.io/api/image/2/context.json", "@id": service}
    return {**about, "service": {**kind, "profile": "http://iiif.io/api/image/2/level1.json"}}


def collection_3(address: str, items: list[Any]) -> dict[str, Any]:
    """A collection of Presentation 3."""
    context = "http://iiif.io/api/presentation/3/context.json"
    return {"@context": context, "id": address, "type": "Collection", "label": {"en": ["All"]}, "items": items}


def reference_3(address: str, kind: str = "Manifest") -> dict[str, Any]:
    """How a collection of Presentation 3 names one of its parts."""
    return {"id": address, "type": kind, "label": {"en": ["One"]}}


def collection_2(address: str, **more: Any) -> dict[str, Any]:
    """A collection of Presentation 2."""
    context = "http://iiif.io/api/presentation/2/context.json"
    return {"@context": context, "@id": address, "@type": "sc:Collection", "label": "All", **more}


def reference_2(address: str, kind: str = "sc:Manifest") -> dict[str, Any]:
    """How a collection of Presentation 2 names one of its parts."""
    return {"@id": address, "@type": kind, "label": "One"}
