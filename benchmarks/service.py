"""The service under load from loopback. Run after `make bundle`:

    python -m benchmarks.service [--folder data/sample] [--seconds 300] [--overload 30]

steady    8 clients that each send their next photo when the last is answered, for --seconds
overload  photos sent at ten times the rate of `steady`, whether the others are answered or not, for --overload seconds

The clients share the cores with the service. Rates are of answered photos; latencies are a client's, in milliseconds; memory
is the service's own, at the end of each tenth of `steady`.
"""
import argparse
import asyncio
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import httpx

from benchmarks.label import BUNDLE, photos

CLIENTS, TIMES, SAMPLES = 8, 10, 10
MEMORY = re.compile(r"^process_resident_memory_bytes (\S+)", re.MULTILINE)


def percentile(values: list[float], share: float) -> float:
    """In milliseconds; of seconds."""
    return 1000 * sorted(values)[int(share * (len(values) - 1))] if values else float("nan")


async def send(client: httpx.AsyncClient, photo: bytes, answers: list[tuple[str, float]]) -> None:
    """Send one photo, and note the status and the seconds until it was there."""
    began = time.perf_counter()
    try:
        status = str((await client.post("/label?faces=largest", content=photo)).status_code)
    except httpx.HTTPError as error:
        status = type(error).__name__
    answers.append((status, time.perf_counter() - began))


async def memory(client: httpx.AsyncClient) -> float:
    """The service's, in MB."""
    return float(MEMORY.search((await client.get("/metrics")).text)[1]) / 1e6


async def steady(client: httpx.AsyncClient, given: list[bytes], seconds: float) -> tuple[list, list[float]]:
    """The answers, and the memory at the end of each tenth."""
    answers, held, end = [], [], time.perf_counter() + seconds

    async def one(start: int) -> None:
        at = start
        while time.perf_counter() < end:
            await send(client, given[at % len(given)], answers)
            at += CLIENTS

    async def watch() -> None:
        for _ in range(SAMPLES):
            await asyncio.sleep(seconds / SAMPLES)
            held.append(await memory(client))

    await asyncio.gather(watch(), *(one(start) for start in range(CLIENTS)))
    return answers, held


async def overload(client: httpx.AsyncClient, given: list[bytes], rate: float, seconds: float) -> list:
    """The answers to photos sent at a rate, photos/s."""
    answers, tasks, began = [], [], time.perf_counter()
    for i in range(int(rate * seconds)):
        await asyncio.sleep(max(0, began + i / rate - time.perf_counter()))
        tasks.append(asyncio.create_task(send(client, given[i % len(given)], answers)))
    await asyncio.gather(*tasks)
    return answers


def row(name: str, answers: list, seconds: float) -> str:
    """A line of the table: what was sent and answered, by status."""
    counts = Counter(status for status, _ in answers)
    labelled, refused = ([took for status, took in answers if status == wanted] for wanted in ("200", "503"))
    others = ", ".join(f"{count} {status}" for status, count in counts.items() if status not in ("200", "503")) or "none"
    return (f"| {name} | {len(answers) / seconds:.1f} | {len(labelled) / seconds:.1f} | {percentile(labelled, .5):.0f} | "
            f"{percentile(labelled, .99):.0f} | {len(refused)} | {percentile(refused, .99):.0f} | {others} |")


async def measure(url: str, given: list[bytes], seconds: float, over: float) -> None:
    limits = httpx.Limits(max_connections=900, max_keepalive_connections=CLIENTS)
    async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as client:
        for photo in given[:CLIENTS]:
            await client.post("/label", content=photo)
        before = await memory(client)
        began = time.perf_counter()
        answers, held = await steady(client, given, seconds)
        took = time.perf_counter() - began
        print("| load | sent/s | labelled/s | median, ms | 99th percentile | refused (503) | 99th percentile, ms | others |")
        print("|---|---|---|---|---|---|---|---|")
        print(row("steady", answers, took), flush=True)
        began = time.perf_counter()
        flood = await overload(client, given, TIMES * len(answers) / took, over)
        print(row("overload", flood, time.perf_counter() - began))
        print(f"\nMemory, MB: {before:.0f}, then", *(f"{mb:.0f}" for mb in held), f"and {await memory(client):.0f} after all")


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.service", description=__doc__.split("\n\n")[0])
    parser.add_argument("--folder", type=Path, default=Path("data/sample"))
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--overload", type=float, default=30)
    asked = parser.parse_args()
    if not (BUNDLE / "card.json").is_file():
        sys.exit(f"error: {BUNDLE}: no bundle; make bundle writes one")
    given = [Path(file).read_bytes() for file in photos(asked.folder, 200)]
    if not given:
        sys.exit(f"error: {asked.folder}: no photos")
    words = [sys.executable, "-m", "labeller.service", "--bundle", str(BUNDLE), "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as service:
        try:
            url = re.search(r"http://\S+?(?=;)", service.stdout.readline())[0]
            asyncio.run(measure(url, given, asked.seconds, asked.overload))
        finally:
            service.terminate()


if __name__ == "__main__":
    main()
