"""Serve a folder of images as a museum does: a IIIF manifest, and an image service that scales.

    python examples/museum.py examples 8182

http://127.0.0.1:8182/manifest is then a manifest of Presentation 3 with a canvas for each JPEG in the folder, and each
image has a service of Image API 3, level 1. Only this machine can connect; it is made for trying things out.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from urllib.parse import quote, unquote

from PIL import Image


def manifest(base: str, folder: Path) -> dict[str, object]:
    """Return a manifest with a canvas for each JPEG in the folder."""
    return {
        "@context": "http://iiif.io/api/presentation/3/context.json",
        "id": f"{base}/manifest",
        "type": "Manifest",
        "label": {"en": [f"Images in {folder.name}"]},
        "items": [canvas(base, path) for path in sorted(folder.glob("*.jpg"))],
    }


def canvas(base: str, path: Path) -> dict[str, object]:
    """Return the canvas of one image, painted by an image service."""
    here, service = f"{base}/canvas/{quote(path.stem)}", f"{base}/image/{quote(path.name)}"
    with Image.open(path) as image:
        size = {"width": image.width, "height": image.height}
    body = {"id": f"{service}/full/max/0/default.jpg", "type": "Image", "format": "image/jpeg", **size}
    body |= {"service": [{"id": service, "type": "ImageService3", "profile": "level1"}]}
    annotation = {"id": f"{here}/painted", "type": "Annotation", "motivation": "painting", "body": body, "target": here}
    page = {"id": f"{here}/page", "type": "AnnotationPage", "items": [annotation]}
    return {"id": here, "type": "Canvas", "label": {"en": [path.stem.capitalize()]}, **size, "items": [page]}


def info(base: str, path: Path) -> dict[str, object]:
    """Return the info.json of the service of one image."""
    with Image.open(path) as image:
        size = {"width": image.width, "height": image.height}
    about = {"id": f"{base}/image/{quote(path.name)}", "type": "ImageService3", "profile": "level1", **size}
    return {"@context": "http://iiif.io/api/image/3/context.json", "protocol": "http://iiif.io/api/image", **about}


def scaled(path: Path, size: str) -> bytes:
    """Return an image as JPEG at a requested size, `max` or a width and a comma."""
    with Image.open(path) as image:
        width = image.width if size == "max" else int(size.removesuffix(","))
        if not 0 < width <= image.width:
            raise ValueError("no such size")
        buffer = BytesIO()
        image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS).save(buffer, "JPEG")
    return buffer.getvalue()


class Museum(BaseHTTPRequestHandler):
    """Respond for the folder that the server holds."""

    folder = Path()

    def do_GET(self) -> None:
        """Respond to one request."""
        base = f"http://{self.headers['Host']}"
        _, what, *rest = unquote(self.path).split("/")
        path = self.folder / rest[0] if rest else self.folder
        try:
            if what == "manifest":
                self.send_bytes(json.dumps(manifest(base, self.folder)).encode(), "application/json")
            elif what == "image" and path in set(self.folder.iterdir()) and rest[1:] == ["info.json"]:
                self.send_bytes(json.dumps(info(base, path)).encode(), "application/json")
            elif what == "image" and path in set(self.folder.iterdir()) and rest[1] == "full":
                self.send_bytes(scaled(path, rest[2]), "image/jpeg")
            else:
                self.send_error(404)
        except (IndexError, ValueError):
            self.send_error(400)

    def send_bytes(self, data: bytes, kind: str) -> None:
        """Send a response with a body."""
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


if __name__ == "__main__":
    Museum.folder = Path(sys.argv[1])
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Museum).serve_forever()
