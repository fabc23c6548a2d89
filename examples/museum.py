"""Serve a folder of pictures as a museum does: a IIIF manifest, and an image service that scales.

    python examples/museum.py examples 8182

Then http://127.0.0.1:8182/manifest is a manifest of Presentation 3 with a canvas for each JPEG in the folder, and each
picture has a service of Image API 3, level 1. It serves this machine alone and is made for trying things out.
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
    """Describe the folder's pictures, one a canvas."""
    return {
        "@context": "http://iiif.io/api/presentation/3/context.json",
        "id": f"{base}/manifest",
        "type": "Manifest",
        "label": {"en": [f"Pictures in {folder.name}"]},
        "items": [canvas(base, path) for path in sorted(folder.glob("*.jpg"))],
    }


def canvas(base: str, path: Path) -> dict[str, object]:
    """Describe one picture: its canvas, and the image service that paints it."""
    here, service = f"{base}/canvas/{quote(path.stem)}", f"{base}/image/{quote(path.name)}"
    with Image.open(path) as image:
        size = {"width": image.width, "height": image.height}
    body = {"id": f"{service}/full/max/0/default.jpg", "type": "Image", "format": "image/jpeg", **size}
    body |= {"service": [{"id": service, "type": "ImageService3", "profile": "level1"}]}
    annotation = {"id": f"{here}/painted", "type": "Annotation", "motivation": "painting", "body": body, "target": here}
    page = {"id": f"{here}/page", "type": "AnnotationPage", "items": [annotation]}
    return {"id": here, "type": "Canvas", "label": {"en": [path.stem.capitalize()]}, **size, "items": [page]}


def info(base: str, path: Path) -> dict[str, object]:
    """Say what the image service of one picture can do."""
    with Image.open(path) as image:
        size = {"width": image.width, "height": image.height}
    about = {"id": f"{base}/image/{quote(path.name)}", "type": "ImageService3", "profile": "level1", **size}
    return {"@context": "http://iiif.io/api/image/3/context.json", "protocol": "http://iiif.io/api/image", **about}


def scaled(path: Path, size: str) -> bytes:
    """Give a picture at a size asked for as `max` or as a width and a comma. Errors: `ValueError`."""
    with Image.open(path) as image:
        width = image.width if size == "max" else int(size.removesuffix(","))
        if not 0 < width <= image.width:
            raise ValueError("no such size")
        buffer = BytesIO()
        image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS).save(buffer, "JPEG")
    return buffer.getvalue()


class Museum(BaseHTTPRequestHandler):
    """Answer for the folder that the server holds."""

    folder = Path()

    def do_GET(self) -> None:
        """Answer one request."""
        base = f"http://{self.headers['Host']}"
        _, what, *rest = unquote(self.path).split("/")
        path = self.folder / rest[0] if rest else self.folder
        try:
            if what == "manifest":
                self.answer(json.dumps(manifest(base, self.folder)).encode(), "application/json")
            elif what == "image" and path in set(self.folder.iterdir()) and rest[1:] == ["info.json"]:
                self.answer(json.dumps(info(base, path)).encode(), "application/json")
            elif what == "image" and path in set(self.folder.iterdir()) and rest[1] == "full":
                self.answer(scaled(path, rest[2]), "image/jpeg")
            else:
                self.send_error(404)
        except (IndexError, ValueError):
            self.send_error(400)

    def answer(self, data: bytes, kind: str) -> None:
        """Send bytes."""
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


if __name__ == "__main__":
    Museum.folder = Path(sys.argv[1])
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Museum).serve_forever()
