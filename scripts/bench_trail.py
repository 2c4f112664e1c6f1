"""Benchmarks of the CloudTrail lake: reading trails, reading them again, compacting, looking for attacks.

SEVENWALLS_BENCH_EVENTS says how many events are generated (1,000,000), SEVENWALLS_BENCH_OBJECTS how many objects the second
run finds nothing new in (100,000).
"""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).parent
EVENTS = int(os.environ.get("SEVENWALLS_BENCH_EVENTS", 1_000_000))
OBJECTS = int(os.environ.get("SEVENWALLS_BENCH_OBJECTS", 100_000))


def generate(folder, events):
    """Objects of that many events; what bench_events.py says of them."""
    output = subprocess.run(
        [sys.executable, SCRIPTS / "bench_events.py", folder, str(events)], check=True, capture_output=True, text=True
    )
    return json.loads(output.stdout)


def make_objects(folder, count):
    """That many objects of one event each: small, so that it is the number of them that costs."""
    for number in range(count):
        day, minute = 1 + number % 20, number // 20 % 1440
        event = {"eventID": f"{number:032x}", "eventTime": f"2026-11-{day:02}T{minute // 60:02}:{minute % 60:02}:00Z"}
        place = Path(folder, "AWSLogs", "111122223333", "CloudTrail", "eu-west-1", f"2026/11/{day:02}")
        place.mkdir(parents=True, exist_ok=True)
        stamp = f"202611{day:02}T{minute // 60:02}{minute % 60:02}Z"
        text = json.dumps({"Records": [event]}).encode()
        name = f"111122223333_CloudTrail_eu-west-1_{stamp}_{number:016}.json.gz"
        (place / name).write_bytes(gzip.compress(text, compresslevel=1, mtime=0))


def size(path):
    path = Path(path)
    files = [path] if path.is_file() else path.rglob("*.parquet")
    return sum(file.stat().st_size for file in files) / 1e6


def row(what, measured, more=""):
    wall, cpu, peak, code = measured
    ended = "" if code == 0 else f", exit {code}"
    return what + ended, f"{wall:.2f} s, CPU {cpu:.2f} s{more}", f"{peak:.0f} MB"


def bench(bin_folder, scratch, measure):
    """Rows of the table: what, time, peak memory."""
    tool = lambda name: os.path.join(bin_folder, name)  # noqa: E731
    few, many = os.path.join(scratch, "few"), os.path.join(scratch, "many")
    generate(few, EVENTS // 10)
    made = generate(many, EVENTS)
    lake = os.path.join(scratch, "trail")

    def ingest(source, target):
        return measure([tool("collect"), "cloudtrail", source, "--lake", target], os.environ)

    # Everything once, so that all measured read from memory what is on disk.
    unpack = f"find {many} -name '*.gz' -print0 | xargs -0 -P 2 -n 32 zcat"
    measure(["sh", "-c", unpack], os.environ)
    floor = measure(["sh", "-c", unpack], os.environ)
    text = f"{made['events']:,} events, {made['objects']:,} objects, {made['bytes'] / 1e6:.0f} MB of JSON"
    yield row(f"only unpack {text} (`zcat`, two at a time)", floor)
    yield row(f"collect cloudtrail, {EVENTS // 10:,} events", ingest(few, lake + "-few"))
    ours = ingest(many, lake)
    yield row(
        f"collect cloudtrail, {EVENTS:,} events",
        ours,
        f" = {EVENTS / ours[0]:,.0f} events/s, {ours[0] / floor[0]:.1f} x `zcat`; {size(lake):.0f} MB of Parquet",
    )
    for how, what in (("declared", "declared schema"), ("daily", "declared schema, a folder for each day"), ("inferred", "inferred schema")):
        out = os.path.join(scratch, how + ".parquet")
        theirs = measure([sys.executable, str(SCRIPTS / "bench_duckdb.py"), many, out, how], os.environ)
        made_size = f"; {size(out):.0f} MB of Parquet" if os.path.exists(out) else "; nothing written"
        yield row(
            f"DuckDB, the same objects, {what}",
            theirs,
            f" = {theirs[0] / ours[0]:.1f} x the time, {theirs[1] / ours[1]:.1f} x the CPU of ours{made_size}",
        )
    objects = os.path.join(scratch, "objects")
    for count in (OBJECTS // 10, OBJECTS):
        folder = f"{objects}-{count}"
        make_objects(folder, count)
        yield row(f"collect cloudtrail, {count:,} objects of one event", ingest(folder, f"{lake}-{count}"))
    yield row("the same again, nothing new", ingest(folder, f"{lake}-{OBJECTS}"))
    compact = measure([tool("collect"), "compact", "--until", "2026-11-30", "--lake", lake], os.environ)
    yield row("collect compact", compact, f"; {size(os.path.join(lake, 'cloudtrail')):.0f} MB of Parquet")
    recording = SCRIPTS.parent / "fixtures" / "demo" / "recording"
    measure([tool("collect"), "inventory", "--from", str(recording), "--lake", lake], os.environ)
    for what, choice in (
        ("analyze, all checks and detections of step 3", ["--rule", "3"]),
        ("analyze, hosted_zone_deleted", ["--check", "hosted_zone_deleted"]),
        ("analyze, a check without events", ["--check", "trail-stopped"]),
    ):
        yield row(what, measure([tool("analyze"), lake, *choice], os.environ))
