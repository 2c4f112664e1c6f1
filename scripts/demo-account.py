#!/usr/bin/env python3
"""Writes fixtures/demo: a recorded AWS account of a small web shop, with planted faults.

Needs boto3, moto[all] and freezegun. Same bytes on every run.

    scripts/demo-account.py [--out fixtures/demo] [--tables collect/tables]
"""

import argparse
import os
import pathlib
import sys

# The emulator keeps some lists in sets of strings, whose order Python draws anew for every process unless told otherwise.
if os.environ.get("PYTHONHASHSEED") != "0":
    os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "PYTHONHASHSEED": "0", "TZ": "UTC"})

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from demo_account import build, iam_answers, last_accessed, record  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "fixtures" / "demo")
    parser.add_argument("--tables", type=pathlib.Path, default=ROOT / "collect" / "tables")
    arguments = parser.parse_args()
    with build.account() as shop:
        files = record.write(shop, arguments.out, arguments.tables)
    last_accessed.fill(arguments.out / "recording", iam_answers.CREDENTIALS)
    print(f"{files} files, {len(shop.faults)} planted faults", file=sys.stderr)


if __name__ == "__main__":
    main()
