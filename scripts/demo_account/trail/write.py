"""Objects as trails deliver them: one per bucket, region and day."""

import gzip
import io
import json
import shutil

from .events import digest
from .recording import ACCOUNT_ID, MAIN_REGION

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# Who delivers what: eu-west-1 to one bucket, everything else to the other; the trail of data has all of eu-west-1 again, of
# which the last two weeks are here.
MAIN_BUCKET, OTHER_BUCKET, DATA_BUCKET = "shop-prod-trail", "shop-dev-trail", "shop-data-trail"
DATA_SINCE = "2026-11-02"


def write(events, out, stopped):
    """Writes all events; in `stopped`, a pair of times, the main trail didn't record."""
    objects = {}
    for event in sorted(events, key=lambda event: (event["eventTime"], event["eventID"])):
        time, region = event["eventTime"], event["awsRegion"]
        for bucket in buckets_of(event, stopped):
            objects.setdefault((bucket, region, time[:10]), []).append(event)
    for trail in (MAIN_BUCKET, OTHER_BUCKET, DATA_BUCKET):
        shutil.rmtree(out / trail, ignore_errors=True)
    size = 0
    for (bucket, region, day), records in objects.items():
        path = out / bucket / "AWSLogs" / ACCOUNT_ID / "CloudTrail" / region / day.replace("-", "/")
        path.mkdir(parents=True, exist_ok=True)
        packed = pack(records)
        size += len(packed)
        (path / object_name(bucket, region, day)).write_bytes(packed)
    return len(objects), size


def buckets_of(event, stopped):
    """The buckets in which an event arrives."""
    if event["awsRegion"] != MAIN_REGION:
        return [OTHER_BUCKET]
    delivered = [DATA_BUCKET] if event["eventTime"] >= DATA_SINCE else []
    if event["managementEvent"] and not stopped[0] <= event["eventTime"] < stopped[1]:
        delivered.append(MAIN_BUCKET)
    return delivered


def object_name(bucket, region, day):
    number = int(digest("object", bucket, region, day)[:24], 16)
    name = ""
    for _ in range(16):
        number, letter = divmod(number, len(ALPHABET))
        name += ALPHABET[letter]
    return f"{ACCOUNT_ID}_CloudTrail_{region}_{day.replace('-', '')}T2355Z_{name}.json.gz"


def pack(records):
    text = json.dumps({"Records": records}, separators=(",", ":"))
    stream = io.BytesIO()
    with gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=9, mtime=0, filename="") as packed:
        packed.write(text.encode())
    return stream.getvalue()
