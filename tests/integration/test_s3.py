"""A bucket of S3, by moto on this machine, is read through s3fs."""

from __future__ import annotations

import zipfile
from io import BytesIO

import pytest

from artnet.sources.find import find_items
from artnet.sources.item import SourceItem, SourceRules
from artnet.sources.stores import StoredFile
from fixtures.web import jpeg


def items_in(*sources: str) -> list[SourceItem]:
    return list(find_items(sources))


def names(items: list[SourceItem]) -> list[str]:
    return [item.name for item in items]


def test_a_bucket_of_s3_is_read_through_s3fs(monkeypatch: pytest.MonkeyPatch) -> None:
    s3fs = pytest.importorskip("s3fs", reason="pip install s3fs 'moto[server]' to read from a store like S3")
    server_of = pytest.importorskip("moto.server", reason="pip install 'moto[server]' for a store on this machine")
    server = server_of.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        for name, value in {"KEY_ID": "any", "KEY": "any"}.items():
            monkeypatch.setenv({"KEY_ID": "AWS_ACCESS_KEY_ID", "KEY": "AWS_SECRET_ACCESS_KEY"}[name], value)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        s3fs.S3FileSystem.clear_instance_cache()
        system = s3fs.S3FileSystem()
        system.mkdir("museum")
        for name, data in {"x/a.jpg": jpeg(), "x/b.jpg": b"", "x/y/c.jpg": jpeg(9, 9)}.items():
            system.pipe(f"museum/{name}", data)
        file = BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("in.jpg", b"zipped")
        system.pipe("museum/all.zip", file.getvalue())
        first, empty, last, zipped = items_in("s3://museum/x", "s3://museum/all.zip")
        assert [item.name for item in (first, empty, last)] == [
            f"s3://museum/x/{n}" for n in ("a.jpg", "b.jpg", "y/c.jpg")
        ]
        assert (first.read(), last.read(), zipped.read()) == (jpeg(), jpeg(9, 9), b"zipped")
        with pytest.raises(Exception, match="the file is empty"):
            empty.read()
        assert names(items_in("s3://museum/x/*.jpg")) == names([first, empty])
        (gone,) = items_in("s3://no-such-bucket/x/")
        assert gone.error is not None
        with pytest.raises(Exception, match="no such file"):
            StoredFile("s3://museum/gone.jpg").read("gone", SourceRules())
    finally:
        server.stop()
        s3fs.S3FileSystem.clear_instance_cache()
