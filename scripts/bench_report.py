"""Writes a lake as `collect` and `analyze` would leave it after a year, for measuring `report` alone.

Called by scripts/bench.py, or as: bench_report.py <lake> [--views] [runs] [resources] [findings]
Seeded: the same arguments give the same lake. Only what `report` reads is in it; with --views the last two runs also have what
`diagram` reads.
"""

import hashlib
import json
import os
import sys
from datetime import datetime, timedelta

import duckdb

ACCOUNT = "111122223333"
LAST = datetime(2026, 11, 16, 6)
CHECKS = 170

# What every run has in common; parameters of a query are not allowed where a file is written.
NAMES = """
create macro rule_of(number) as 1 + number % 7;
create macro severity_of(number) as ['critical', 'high', 'medium', 'medium', 'low'][1 + number % 5];
create macro arn_of(number) as 'arn:aws:ec2:eu-west-1:111122223333:instance/i-' || printf('%017x', number);
create macro owner_of(number) as case when number % 10 > 0 then 'team-' || number % 40 end;
create macro system_of(number) as case when number % 12 > 0 then 'system-' || number % 60 end;
create macro is_store(number) as number % 20 in (0, 1, 2, 3, 8, 9);
create macro type_of(number) as case
    when number % 1000 = 999 then 'backup:backup-vault'
    when number % 20 in (0, 9) then 'rds:db'
    when number % 20 = 1 then 's3:bucket'
    when number % 20 in (2, 3) then 'dynamodb:table'
    when number % 20 in (4, 5, 6) then 'rds:snapshot'
    when number % 20 = 7 then 'backup:recovery-point'
    when number % 20 = 8 then 'rds:cluster'
    else 'ec2:instance'
end;
create macro check_of(number) as coalesce(['db-rpo-unmet', 'db-rto-unmet', 'restore-never-tested'][1 + number], 'check-' || printf('%03d', number));
"""

CONTEXT = """
select
    '{account}' as account_id, 'eu-west-1' as region, arn_of(n) as arn, split_part(type_of(n), ':', 1) as service, type_of(n) as resource_type,
    'w' || n || '_web_shop' as name, 't3.micro' as summary,
    system_of(n) as system, ['prod', 'staging', 'test'][1 + n % 3] as environment, owner_of(n) as owner,
    ['low', 'medium', 'high', 'critical'][1 + n % 4] as importance, (n % 4)::bigint as importance_rank, n % 4 = 3 as critical,
    ['backup', 'replication', 'multi-az'][1:1 + n % 3] as dr, 3600::bigint as rpo_seconds,
    14400::bigint as rto_seconds, 5::bigint as required_tags, case when n % 10 = 0 then ['Owner', 'DR'] else []::varchar[] end as missing_tags,
    true as taggable, is_store(n) as data_store, n % 50 = 0 as exposed, 'tcp/443 from 0.0.0.0/0' as exposure,
    case when n % 7 = 0 then n % 3 else 1 + n % 3 end::bigint as dr_met,
    case when n % 7 = 0 then [['backup', 'replication', 'multi-az'][1 + n % 3]] else []::varchar[] end as dr_unmet
from range({resources}) as t(n)
order by arn
"""

# Failures first, as analyze writes them; six verdicts a resource.
FINDINGS = """
select
    check_of(n % {checks}) as check_id, rule_of(n % {checks})::bigint as rule, 'config' as kind,
    'The resource is as it should be' as title, severity_of(n % {checks}) as severity,
    case when n < {failures} then 'fail' when n < {failures} + 200 then 'unknown' when n < {failures} + 300 then 'waived' else 'pass' end as status,
    '{account}' as account_id, 'eu-west-1' as region, arn_of(n % {resources}) as resource_arn, type_of(n % {resources}) as resource_type,
    'w' || n % {resources} || '_web_shop' as resource_name, null::varchar as discriminator, owner_of(n % {resources}) as owner,
    ['prod', 'staging', 'test'][1 + n % 3] as environment, system_of(n % {resources}) as system,
    ['low', 'medium', 'high', 'critical'][1 + n % 4] as importance, n % 50 = 0 as exposed,
    case when n < {failures} then (n * 7 % 1000) / 10.0 else 0.0 end as risk, 'the setting is ' || n || ' and ought to be another' as reason,
    '{{"setting": ' || n || ', "mode": "open", "ports": [22, 3389], "note": "' || repeat('x', 120) || '"'
        || case when n % {checks} < 3 then ', "behind_seconds": ' || n % 7200 || ', "recovery_seconds": ' || n % 30000 || ', "restored_at": "2026-10-01 06:00:00"' else '' end
        || '}}' as evidence,
    'Set it as the owner of the system wants it to be' as remediation, 'aws ec2 modify-instance-attribute --instance-id i-' || n as remediation_command,
    printf('%016x', n * 11400714819323198485 % 9223372036854775807) as fingerprint,
    case when n < {failures} then timestamp '2026-01-05 06:00:00' + to_days((n % 300)::integer) end as first_seen,
    case when n < {failures} then case when n % 100 = 0 then 'new' when n % 333 = 0 then 'reopened' else 'open' end end as change,
    'somebody' as waiver_owner, 'agreed' as waiver_reason, timestamp '2027-01-31 00:00:00' as waiver_expires
from range({verdicts}) as t(n)
"""

CHECK_ROWS = """
select
    check_of(n) as check_id, rule_of(n)::bigint as rule, 'config' as kind, 'The resource is as it should be' as title,
    severity_of(n) as severity, ['aws_ec2_instance'] as tables, map {{'cis_v5.0': '1.' || n, 'fsbp': 'EC2.' || n}} as frameworks,
    'Set it' as remediation, null::varchar as remediation_command, ['https://example.com'] as links, 'evaluated' as status, null::varchar as error,
    ({verdicts} // {checks} - {failures} // {checks})::bigint as passed, ({failures} // {checks})::bigint as failed, 0::bigint as unknown, 0::bigint as waived
from range({checks}) as t(n)
"""

TRAIL_DAYS = """
select '{account}' as account_id, region, day::timestamp as day, 1000::bigint as events, 100::bigint as changes
from (values ('eu-west-1'), ('us-east-1')) as r(region), range(date '2025-11-16', date '2026-11-16', interval 1 day) as t(day)
"""


class Lake:
    def __init__(self, folder):
        self.folder = folder
        self.database = duckdb.connect()
        self.database.execute(NAMES)

    def write(self, path, table, stage, sql):
        """One file of a table, and its entry for the record."""
        target = os.path.join(self.folder, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        label = json.dumps({"contract": "1.0", "table": table, "writer": f"{stage} 0.1.0"})
        self.database.execute(
            f"copy ({sql}) to '{target}' (format parquet, compression zstd, row_group_size 50000, kv_metadata {{sevenwalls: '{label}'}})"
        )
        with open(target, "rb") as file:
            content = file.read()
        rows = self.database.execute(f"select count(*) from read_parquet('{target}')").fetchone()[0]
        return {"path": path, "table": table, "rows": rows, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}

    def commit(self, run, stage, files, tables=()):
        record = {
            "contract": "1.0", "run": run, "stage": stage, "version": "0.1.0", "arguments": [], "inputs": [],
            "status": "complete", "errors": [], "tables": list(tables), "files": files,
        }
        folder = os.path.join(self.folder, "runs", run)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, stage + ".json"), "w") as file:
            json.dump(record, file)


def generate(folder, runs=52, resources=50_000, failures=20_000, views=False):
    """`runs` weekly runs, fewer failures from one to the next."""
    lake = Lake(folder)
    for index in range(runs):
        age = runs - 1 - index
        moment = LAST - timedelta(weeks=age)
        run = f"{moment:%Y%m%dT%H%M%SZ}-{index:06x}"
        values = {
            "account": ACCOUNT, "resources": resources, "checks": CHECKS, "verdicts": resources * 6,
            "failures": failures + failures // 100 * age,
        }
        outcomes = [
            {"table": table, "account_id": ACCOUNT, "region": region, "rows": resources, "errors": 0}
            for table, region in (("aws_ec2_instance", "eu-west-1"), ("aws_iam_user", "global"), ("aws_iam_role", "global"))
        ]
        arns = f"select arn_of(n) as arn from range({resources}) as t(n)"
        collected = {"resources": arns}
        tables = {"resource_context": CONTEXT, "checks": CHECK_ROWS, "trail_days": TRAIL_DAYS}
        if views and age < 2:
            import bench_views

            collected |= {table: sql.format(week=1 - age, **values) for table, sql in bench_views.COLLECTED.items()}
            tables |= bench_views.DERIVED
        inventory = [
            lake.write(f"inventory/{table}/account={ACCOUNT}/run={run}/data.parquet", table, "collect", sql) | {"account_id": ACCOUNT}
            for table, sql in collected.items()
        ]
        lake.commit(run, "collect", inventory, outcomes)
        files = [
            lake.write(f"derived/{table}/run={run}/data.parquet", table, "analyze", sql.format(**values))
            for table, sql in tables.items()
        ]
        files.append(lake.write(f"findings/run={run}/findings.parquet", "findings", "analyze", FINDINGS.format(**values)))
        lake.commit(run, "analyze", files)
    if views:
        bench_views.write_events(lake, {"account": ACCOUNT, "resources": resources})


if __name__ == "__main__":
    sizes = [int(size) for size in sys.argv[2:] if size != "--views"]
    generate(sys.argv[1], *sizes, views="--views" in sys.argv)
