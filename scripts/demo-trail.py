#!/usr/bin/env python3
"""Writes fixtures/demo/cloudtrail: a year of the demo account's CloudTrail, with the incident in it.

Needs Python alone, and the recording. Same bytes on every run.

    scripts/demo-trail.py [--out fixtures/demo/cloudtrail]
"""

import argparse
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from demo_account.trail import events, incident, machines, occasions, people, write  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "fixtures" / "demo" / "cloudtrail")
    out = parser.parse_args().out
    log = events.Log()
    for part in (machines, people, occasions, incident):
        part.build(log)
    objects, size = write.write(log.events, out, incident.TRAIL_STOPPED)
    print(f"{len(log.events)} events, {objects} objects, {size / 1e6:.1f} MB", file=sys.stderr)


if __name__ == "__main__":
    main()
