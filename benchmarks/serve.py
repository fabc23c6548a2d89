"""Load the API as 32 visitors would, and hold what it answers against the bare engine on the same views.

    python benchmarks/serve.py [--clients 32] [--seconds 60] [--rounds 10] [--requests 5000] [--picture FILE]

The server is `artnet app --api-only`, a process of its own; the clients are one other process, which shares the
machine's cores with it, so what they take is taken from the server: their own processor time is told beside the rest.
Then what a request costs and where it goes, in processor time, which a busy machine changes least: the server's for a
request without a picture, for one whose picture is refused and for a whole one, each from one client after the other,
and each step of the last by itself in this process.
Without --picture each request sends the network's own view as JPEG, so that decoding is small and the engine is given
the same numbers in both measurements. The bare engine runs in a process of its own, in both of its ways: one caller
with all cores, and as many callers as the server has places. Load and engine are measured in turn, in short rounds,
since other programs may run on the machine; what is compared is the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from artnet.hardware import serving_concurrency
from artnet.imaging.decode import ImageFile, decode_reduced
from artnet.imaging.views import VIEWS, extract_views
from artnet.model.classifier import Classifier
from artnet.model.preprocessing import network_input

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.jpg"))
BOUNDARY = "benchmark"


@dataclass
class Load:
    """What the clients saw: seconds of each answer, and whatever was no answer."""

    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    lasted_s: float = 0
    client_cpu_s: float = 0

    def add(self, other: Load) -> None:
        """Add the counts of another load."""
        self.seconds += other.seconds
        self.failures += other.failures
        self.lasted_s += other.lasted_s
        self.client_cpu_s += other.client_cpu_s


GET = b"GET /healthz HTTP/1.1\r\nHost: benchmark\r\n\r\n"


def request_bytes(data: bytes) -> bytes:
    """Write a whole request, once: clients must not take what is the server's."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'.encode()
    body = head + data + f"\r\n--{BOUNDARY}--\r\n".encode()
    lines = [
        "POST /v1/classify HTTP/1.1",
        "Host: benchmark",
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}",
        f"Content-Length: {len(body)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def pictures(picture: Path | None, classifier: Classifier) -> list[bytes]:
    """Return what is sent: one file, or the examples' whole views as JPEG."""
    if picture is not None:
        return [picture.read_bytes()]
    seen, found = classifier.config.preprocessing, []
    for path in EXAMPLES:
        with Image.open(path) as image:
            view = extract_views(image.convert("RGB"), seen.size_px, seen.fit, VIEWS[:1])[0]
        stream = BytesIO()
        view.image.save(stream, "JPEG", quality=90)
        found.append(stream.getvalue())
    return found


def bare(callers: int, seconds: float) -> tuple[float, float]:
    """Measure the engine alone on the same views: views a second, and milliseconds of processor time for each."""
    script = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'benchmarks')!r}); import serve; "
        f"print(*serve.bare_here({callers}, {seconds}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    rate, cpu_ms = map(float, done.stdout.split())
    return rate, cpu_ms


def bare_here(callers: int, seconds: float) -> tuple[float, float]:
    """Run the engine in this process with so many callers at once."""
    classifier = Classifier.load(concurrency=callers)
    seen = classifier.config.preprocessing
    inputs = []
    for data in pictures(None, classifier):
        with Image.open(BytesIO(data)) as image:
            inputs.append(network_input(extract_views(image, seen.size_px, seen.fit, VIEWS[:1]), seen))
    outputs = ["logits", "embedding"] if classifier.ood is not None else ["logits"]
    classifier.engine.run(inputs[0], None, outputs)
    counts, end = [0] * callers, time.monotonic() + seconds

    def call(index: int) -> None:
        while time.monotonic() < end:
            classifier.engine.run(inputs[counts[index] % len(inputs)], None, outputs)
            counts[index] += 1

    begun, cpu = time.monotonic(), time.process_time()
    threads = [threading.Thread(target=call, args=(index,)) for index in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.monotonic() - begun), 1000 * (time.process_time() - cpu) / sum(counts)


async def client(port: int, requests: list[bytes], load: Load, goes_on: object) -> None:
    """Send one request after the other on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    index = 0
    while goes_on():  # type: ignore[operator]
        begun = time.perf_counter()
        writer.write(requests[index % len(requests)])
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(re.search(rb"content-length: (\d+)", head)[1])  # type: ignore[index]
        body = await reader.readexactly(length)
        load.seconds.append(time.perf_counter() - begun)
        if not head.startswith(b"HTTP/1.1 200"):
            load.failures.append(body.decode()[:200])
        index += 1
    writer.close()


async def visit(port: int, data: list[bytes], clients: int, seconds: float, requests: int) -> Load:
    """Load the server for so many seconds, or with so many requests."""
    load, end = Load(), time.monotonic() + seconds
    sent = [each if each is GET else request_bytes(each) for each in data]

    def goes_on() -> bool:
        return time.monotonic() < end and (not requests or len(load.seconds) < requests - clients + 1)

    begun, cpu = time.monotonic(), time.process_time()
    await asyncio.gather(*(client(port, sent, load, goes_on) for _ in range(clients)))
    load.lasted_s, load.client_cpu_s = time.monotonic() - begun, time.process_time() - cpu
    return load


def status_of(pid: int) -> tuple[float, float]:
    """Return a process's resident memory in MB and its processor seconds so far."""
    resident = int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024  # type: ignore[index]
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return resident, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def told(load: Load, clients: int, server_cpu_s: float) -> None:
    """Print what the load came to."""
    seconds = np.array(load.seconds)
    rate = len(seconds) / load.lasted_s
    p50, p99 = np.quantile(seconds, [0.5, 0.99])
    print(f"{len(seconds)} requests, {len(load.failures)} failures in {load.lasted_s:.0f} s: {rate:.1f}/s")
    print(f"p50 {p50:.3f} s, p99 {p99:.3f} s, which is {p99 / (clients / rate):.2f} times clients / throughput")
    cpu_ms = [1000 * each / len(seconds) for each in (server_cpu_s, load.client_cpu_s)]
    print(f"processor time of a request: {cpu_ms[0]:.2f} ms in the server, {cpu_ms[1]:.2f} ms in the clients")
    for failure in load.failures[:3]:
        print("   ", failure)


@contextmanager
def served() -> Iterator[tuple[int, int]]:
    """Run the server; gives its port and process id."""
    command = [sys.executable, "-m", "artnet", "app", "--api-only", "--port", "0", "--logs", "quiet"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            yield int(re.search(r":(\d+) ", server.stderr.readline())[1]), server.pid  # type: ignore[index]
        finally:
            server.terminate()


def compare(data: list[bytes], clients: int, seconds: float, rounds: int) -> None:
    """Load the server and run the bare engine in turn, and print how they compare."""
    places = serving_concurrency()
    ways = {"one caller with all cores": 1, f"{places} callers": places}
    ratios: dict[str, list[float]] = {name: [] for name in ways}
    engine_ms: dict[str, list[float]] = {name: [] for name in ways}
    whole, server_cpu_s = Load(), 0.0
    with served() as (port, pid):
        asyncio.run(visit(port, data, clients, 5, 0))
        for _ in range(rounds):
            before = status_of(pid)[1]
            load = asyncio.run(visit(port, data, clients, seconds / rounds, 0))
            server_cpu_s += status_of(pid)[1] - before
            whole.add(load)
            for name, callers in ways.items():
                rate, cpu_ms = bare(callers, seconds / rounds / 2)
                ratios[name].append(len(load.seconds) / load.lasted_s / rate)
                engine_ms[name].append(cpu_ms)
    told(whole, clients, server_cpu_s)
    for name in ways:
        low, middle, high = min(ratios[name]), statistics.median(ratios[name]), max(ratios[name])
        print(f"throughput / bare engine, {name}: median {middle:.1%} of {rounds} rounds ({low:.1%} to {high:.1%})")
        print(f"    processor time of a view in the bare engine: {statistics.median(engine_ms[name]):.2f} ms")


def grow(data: list[bytes], clients: int, requests: int) -> None:
    """Print the server's memory after each tenth of so many requests."""
    with served() as (port, pid):
        asyncio.run(visit(port, data, clients, 5, 0))
        sizes = [status_of(pid)[0]]
        for _ in range(10):
            asyncio.run(visit(port, data, clients, 600, requests // 10))
            sizes.append(status_of(pid)[0])
    print(f"resident MB after each tenth of {requests} requests:", *(f"{size:.0f}" for size in sizes))


def server_ms(port: int, pid: int, data: list[bytes], requests: int = 1000) -> float:
    """Return the server's processor time for a request, in milliseconds."""
    asyncio.run(visit(port, data, 1, 600, 100))
    before = status_of(pid)[1]
    load = asyncio.run(visit(port, data, 1, 600, requests))
    return 1000 * (status_of(pid)[1] - before) / len(load.seconds)


def step_ms(step: Callable[[bytes], object], data: list[bytes], times: int = 300) -> float:
    """Return this process's processor time for a step, in milliseconds."""
    for each in data:
        step(each)
    before = time.process_time()
    for index in range(times):
        step(data[index % len(data)])
    return 1000 * (time.process_time() - before) / times


def steps(data: list[bytes]) -> None:
    """Print what a request costs, and where it goes."""
    classifier = Classifier.load(concurrency=serving_concurrency())
    seen = classifier.config.preprocessing
    opened = {each: classifier.open(ImageFile(each, "a.jpg")) for each in data}
    outputs = {each: classifier.infer(opened[each].views) for each in data}
    parts = {
        "decoding": step_ms(lambda each: decode_reduced(each, "a.jpg", seen.size_px), data),
        "decoding and view": step_ms(lambda each: classifier.open(ImageFile(each, "a.jpg")), data),
        "network input": step_ms(lambda each: network_input(opened[each].views, seen), data),
        "input and engine": step_ms(lambda each: classifier.infer(opened[each].views), data),
        "scores and JSON": step_ms(
            lambda each: json.dumps(classifier.predict(opened[each], outputs[each]).to_dict()), data
        ),
    }
    with served() as (port, pid):
        whole_ms = server_ms(port, pid, data)  # first, since the server still warms up
        refused_ms = server_ms(port, pid, [b"no picture" * (len(each) // 10) for each in data])
        bare_ms = server_ms(port, pid, [GET])
    rows = {
        "HTTP and routing (GET /healthz)": bare_ms,
        "form, limits, queue and an error (a file that is no picture)": refused_ms - bare_ms,
        "decoding": parts["decoding"],
        "margins and view": parts["decoding and view"] - parts["decoding"],
        "network input": parts["network input"],
        "engine": parts["input and engine"] - parts["network input"],
        "scores and JSON": parts["scores and JSON"],
    }
    print(f"processor time of a request alone, {sum(map(len, data)) / len(data) / 1024:.0f} kB: {whole_ms:.2f} ms")
    for name, ms in {**rows, "the rest": whole_ms - sum(rows.values())}.items():
        print(f"    {ms:6.2f} ms {ms / whole_ms:6.1%}  {name}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    data = pictures(options.picture, Classifier.load())
    if options.rounds:
        compare(data, options.clients, options.seconds, options.rounds)
    steps(data)
    if options.requests:
        grow(data, options.clients, options.requests)


if __name__ == "__main__":
    main()
