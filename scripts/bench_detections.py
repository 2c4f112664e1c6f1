"""Benchmark of the detections: every one of them over a lake of many events. SEVENWALLS_BENCH_EVENTS says how many (1,000,000).

The lake is the demo account's year, multiplied: bench_detections.py LAKE OUT EVENTS. Up to twenty accounts have the whole year each,
incident included. The rest is what fills real trails: what teams of each account read, day by day, with principals, sessions and
addresses of their own. `collect compact` gives it the layout that a lake has; 10,000,000 events take some 3 GB of disk while it does.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb

EVENTS = int(os.environ.get("SEVENWALLS_BENCH_EVENTS", 1_000_000))
HOME = "111122223333"
INTRUDER = "192.0.2.44"
ACCOUNTS = 20
READING = f"read_only and source_ip_address is distinct from '{INTRUDER}'"
LABEL = """{sevenwalls: '{"contract":"1.0","table":"cloudtrail_events","writer":"bench"}'}"""
# What differs between the events of two teams; of team 0 nothing does.
OF_TEAM = {
    "event_time": "case team when 0 then event_time else event_time::date::timestamp + to_seconds((date_diff('second', event_time::date, event_time) + 3571 * team) % 86400) end",
    "event_id": "new_id",
    "request_id": "substr(md5(new_id), 1, 36)",
    "source_ip_address": """case
        when team = 0 then source_ip_address
        when regexp_full_match(source_ip_address, '[0-9.]+') then
            regexp_replace(source_ip_address, '[.][0-9]+[.]', '.' || (split_part(source_ip_address, '.', 2)::integer + 7 * team + 11 * right(account, 2)::integer) % 256 || '.')
        when contains(source_ip_address, '::') then replace(source_ip_address, '2001:db8:', '2001:db8:' || to_hex(100 * team + right(account, 2)::integer) || ':')
        else source_ip_address
    end""",
    "identity_access_key_id": "new_key",
    "identity_user_name": "case team when 0 then '' else 't' || team || '-' end || identity_user_name",
    # A token, as many requests have one: no two are the same.
    "request_parameters": """case when team > 0 and starts_with(request_parameters, '{"')
        then left(request_parameters, -1) || ',"clientToken":"' || new_id || '"}' else request_parameters end""",
    "user_identity": "coalesce(replace(user_identity, identity_access_key_id, new_key), user_identity)",
}
NAMES_PRINCIPALS = {"identity_arn", "session_issuer_arn", "principal", "user_identity"}


def rewritten(name, kind):
    """A column as an event of `account` and `team` has it."""
    column = OF_TEAM.get(name, f'"{name}"')
    if kind not in ("VARCHAR", "JSON"):
        return f'{column} as "{name}"'
    if name in NAMES_PRINCIPALS:
        named = f"replace(replace({column}, 'role/', 'role/t' || team || '-'), 'user/', 'user/t' || team || '-')"
        named = f"replace(replace({named}, 't' || team || '-aws-service-role', 'aws-service-role'), '/i-0', '/i-' || (team % 10))"
        column = f"case team when 0 then {column} else {named} end"
    return f"""replace({column}, '{HOME}', account)::varchar as "{name}\""""


def multiply(lake, out, events):
    """Writes the events of every day as one file; returns how many there are."""
    database = duckdb.connect(config={"threads": 2, "memory_limit": "2GB"})
    database.execute(f"create table year as from read_parquet('{lake}/cloudtrail/*/*.parquet', hive_partitioning = false, union_by_name = true)")
    whole, reads = database.sql(f"select count(*), count(*) filter (where {READING}) from year").fetchall()[0]
    accounts = max(1, min(ACCOUNTS, events // whole))
    teams = max(0, round((events / accounts - whole) / reads))
    # Digits that no other number of the demo has.
    database.execute(f"create table accounts as select case n when 0 then '{HOME}' else (200000000000 + n)::varchar end as account from range({accounts}) as t(n)")
    columns = ",\n".join(rewritten(name, kind) for name, kind, *_ in database.sql("describe year").fetchall())
    days = [day for (day,) in database.sql("select distinct event_time::date from year order by all").fetchall()]
    written = 0
    for day in days:
        folder = Path(out, "cloudtrail", f"event_date={day}")
        folder.mkdir(parents=True)
        written += database.execute(f"""copy (
            with of_day as (
                select
                    y.*, account, team,
                    replace(md5(event_id || account || team)::uuid::varchar, '_', '-') as new_id,
                    case when team = 0 and account = '{HOME}' then identity_access_key_id
                        else left(identity_access_key_id, 4) || upper(left(md5(identity_access_key_id || account || team), 16)) end as new_key
                from year as y cross join accounts cross join (select unnest(range({teams + 1})) as team)
                where event_time::date = '{day}' and (team = 0 or {READING})
            )
            select {columns} from of_day order by event_time
        ) to '{folder}/{'0' * 16}-0.parquet' (format parquet, compression zstd, row_group_size 122880, kv_metadata {LABEL})""").fetchall()[0][0]
    return written


def bench(bin_folder, scratch, measure):
    """Rows of the table: what, time, peak memory."""
    tool = lambda name: os.path.join(bin_folder, name)  # noqa: E731
    demo = Path(__file__).parent.parent / "fixtures" / "demo"
    small, lake = os.path.join(scratch, "demo-year"), os.path.join(scratch, "year")
    quiet = {"check": False, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([tool("collect"), "cloudtrail", demo / "cloudtrail", "--lake", small], **quiet)
    made = subprocess.run([sys.executable, __file__, small, lake, str(EVENTS)], check=True, capture_output=True, text=True)
    events = json.loads(made.stdout)["events"]
    shutil.rmtree(small)
    wall, cpu, peak, _ = measure([tool("collect"), "compact", "--lake", lake], os.environ)
    size = sum(file.stat().st_size for file in Path(lake).rglob("*.parquet")) / 1e6
    yield f"collect compact, {events:,} events", f"{wall:.1f} s, CPU {cpu:.1f} s; {size:.0f} MB of Parquet", f"{peak:.0f} MB"
    subprocess.run([tool("collect"), "inventory", "--from", demo / "recording", "--lake", lake], **quiet)
    environment = {**os.environ, "SEVENWALLS_LOG": "analyze=debug"}
    log = os.path.join(scratch, "detections.log")
    wall, cpu, peak, code = measure([tool("analyze"), lake, "--threads", "2"], environment, stderr=log)
    seconds = seconds_of_detections(lake, log)
    slowest = max(seconds, key=seconds.get)
    yield (
        f"analyze over them, exit {code}",
        f"{wall:.1f} s, CPU {cpu:.1f} s; {len(seconds)} detections {sum(seconds.values()):.1f} s, the slowest {seconds[slowest]:.2f} s ({slowest})",
        f"{peak:.0f} MB",
    )
    yield "of that, `hosted_zone_deleted`", f"{seconds['hosted_zone_deleted']:.2f} s", ""


def seconds_of_detections(lake, log):
    """How long each took, from the log of a run."""
    checks = f"select check_id from read_parquet('{lake}/derived/checks/*/*.parquet', hive_partitioning = false) where kind = 'detection'"
    detections = {check for (check,) in duckdb.sql(checks).fetchall()}
    with open(log) as lines:
        judged = [line.split('check="')[1].split('" seconds=') for line in lines if "judged check=" in line]
    return {check: float(seconds) for check, seconds in judged if check in detections}


def main():
    lake, out, events = sys.argv[1:]
    print(json.dumps({"events": multiply(lake, out, int(events))}))


if __name__ == "__main__":
    main()
