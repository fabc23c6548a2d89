"""The example museum serves what docs/collections.md shows."""

from __future__ import annotations

import importlib.util
import threading
from dataclasses import replace
from http.server import ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

from PIL import Image

from artnet.sources.find import find_items
from fixtures.web import HERE

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


def test_the_example_museum_serves_every_image_at_the_size_requested() -> None:
    spec = importlib.util.spec_from_file_location("museum", EXAMPLES / "museum.py")
    assert spec is not None and spec.loader is not None
    museum = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(museum)

    class Quiet(museum.Museum):  # type: ignore[misc]
        folder = EXAMPLES

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        rules = replace(HERE, shorter_side_px=512)
        items = list(find_items([f"http://127.0.0.1:{server.server_port}/manifest"], rules))
        first = items[0].read(rules)
        server.shutdown()
    assert [item.label for item in items] == ["Atelier", "Expressive", "Faceted", "Pointillist", "Suprematist"]
    assert min(Image.open(BytesIO(first)).size) == 512
