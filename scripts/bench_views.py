"""Tables that `diagram` reads beside those of bench_report.py, and how long each view takes.

The generated lake has a year of weekly runs; the last two have what every view needs, and a month of CloudTrail events.
"""

import os
import subprocess
import sys

import bench_report

PRINCIPALS = 2_000
EVENT_DAYS = 30
EVENTS_A_DAY = 50_000

COLLECTED = {
    # A tenth of the resources has another owner from one week to the next.
    "resources": """
        select
            '{account}' as account_id, 'eu-west-1' as region, arn_of(n) as arn, split_part(type_of(n), ':', 1) as service,
            type_of(n) as resource_type, 'w' || n || '_web_shop' as name,
            map {{'Owner': 'team-' || (n + case when n % 10 = 0 then {week} else 0 end) % 40, 'System': system_of(n)}} as tags,
            't3.micro' as summary, 'aws_ec2_instance' as source_table
        from range({week}, {resources} + {week}) as t(n)
    """,
    "relationships": """
        select
            ['uses', 'allows', 'routes_to', 'replicates_to', 'backed_up_to'][1 + n % 5] as kind, arn_of(n % {resources}) as from_arn,
            arn_of((n * 7919 + n // 3) % {resources}) as to_arn, arn_of((n * 7919 + n // 3) % {resources}) as to_id, 'tcp/443' as detail
        from range({resources} * 2) as t(n)
        union all
        select 'backup_of', arn_of(n), arn_of(n - 4), arn_of(n - 4), null from range({resources}) as t(n) where n % 20 between 4 and 7
        union all
        select 'backed_up_to', arn_of(n), arn_of(n - n % 1000 + 999), arn_of(n - n % 1000 + 999), null from range({resources}) as t(n) where n % 20 = 7
        union all
        select 'member_of', arn_of(n), arn_of(n - 1), arn_of(n - 1), null from range({resources}) as t(n) where n % 20 = 9
    """,
    "aws_backup_vault": """
        select '{account}' as account_id, 'eu-west-1' as region, arn_of(n) as arn, n % 2000 = 999 as locked, 100::bigint as recovery_point_count
        from range({week}, {resources}) as t(n) where n % 1000 = 999
    """,
    # Of the second table of each twenty, and of half of them a copy in the next vault.
    "aws_backup_recovery_point": """
        select
            '{account}' as account_id, 'eu-west-1' as region, arn_of(n) as arn, arn_of(n - 4) as resource_arn,
            arn_of(n - n % 1000 + 999 + 1000 * copy) as backup_vault_arn,
            case when copy > 0 then arn_of(n - n % 1000 + 999) end as source_backup_vault_arn, 'COMPLETED' as status,
            timestamp '2026-11-15 01:00:00' as created_at, timestamp '2026-11-15 02:00:00' + to_seconds((n % 7200)::integer) as completed_at
        from range({resources}) as t(n), range(1 + n // 20 % 2) as c(copy) where n % 20 = 7
    """,
    "aws_ec2_instance": """
        select '{account}' as account_id, 'eu-west-1' as region, arn_of(n) as arn, case when n % 50 = 0 then 't3.' || {week} else 't3.micro' end as instance_type
        from range({week}, {resources} + {week}) as t(n)
    """,
}

DERIVED = {
    "reachability": """
        select
            'p' || n as path_id, 1 + n % 3 as step, case when n % 3 = 0 then 'internet' else arn_of(n - 1) end as from_arn, arn_of(n) as to_arn,
            ['entry', 'compute', 'data'][1 + n % 3] as lane, 'tcp' as protocol, 443::bigint as from_port, 443::bigint as to_port,
            case when n % 7 > 0 then true end as open, 'not known' as why, 'lets in' as detail, 2::bigint as hops
        from range({resources} // 2) as t(n)
    """,
    "reachability_hops": """
        select 'p' || n // 2 as path_id, n % 2 as hop, arn_of(n) as from_arn, arn_of(n // 2) as to_arn, 'security-group' as kind, 'tcp/443' as detail, true as open
        from range({resources}) as t(n)
    """,
    "principal_classes": f"""
        select
            '{{account}}' as account_id, 'arn:aws:iam::{{account}}:' || case when n % 10 = 0 then 'user' else 'role' end || '/p' || n as principal_arn,
            case when n % 10 = 0 then 'user' else 'role' end as kind, 'p' || n as name, n // 4 as principal_class, n // 4 = 0 as is_admin,
            false as service_linked, false as reserved, n % 100 = 7 as special, []::varchar[] as unread
        from range({PRINCIPALS}) as t(n)
    """,
    "resource_classes": """
        select
            '{account}' as account_id, arn_of(n) as resource_arn, type_of(n) as resource_type,
            case type_of(n) when 'rds:db' then 0 when 's3:bucket' then 100 when 'dynamodb:table' then 200 else 300 end
                + case type_of(n) when 'ec2:instance' then n % 700 else n // 20 % 100 end as resource_class,
            false as policy_unread
        from range({resources}) as t(n)
        where type_of(n) in ('rds:db', 's3:bucket', 'dynamodb:table', 'ec2:instance')
    """,
    "dangerous_actions": """
        select 'ec2:Dangerous' || n as action, t.resource_type, ['destroy', 'recovery', 'policy', 'logging', 'escalate', 'expose'][1 + n % 6] as kind,
            true as tag_condition, true as resource_level, 'management' as logged
        from range(60) as r(n), (values ('ec2:instance'), ('rds:db'), ('s3:bucket'), ('dynamodb:table')) as t(resource_type)
    """,
    "grants": f"""
        select
            c as principal_class, 'ec2:Dangerous' || (c * 31 + n) % 60 as action, (c * 17 + n * 3) % 1000 as resource_class,
            ['allowed', 'allowed', 'conditional', 'unknown'][1 + (c + n) % 4] as verdict, ['not_required', 'required', 'spared'][1 + c % 3] as mfa,
            []::varchar[] as conditions, ['arn:aws:iam::aws:policy/Some#0'] as statements
        from range({PRINCIPALS} // 4) as p(c), range(1000) as t(n)
    """,
    "assume_edges": f"""
        select
            '{{account}}' as account_id, case when n % 5 = 0 then 'ec2.amazonaws.com' else 'arn:aws:iam::{{account}}:user/p' || n // 10 * 10 end as from_arn,
            case when n % 5 = 0 then 'service' else 'user' end as from_kind, 'arn:aws:iam::{{account}}:role/p' || (n * 7) % {PRINCIPALS} as to_arn,
            'allowed' as verdict, ['not_required', 'required'][1 + n % 2] as mfa, []::varchar[] as conditions, []::varchar[] as statements
        from range({PRINCIPALS} * 5) as t(n)
    """,
    "escalations": f"""
        select
            '{{account}}' as account_id, 'arn:aws:iam::{{account}}:role/p' || n * 3 + 1 as principal_arn, 'iam-001' as path_id, 'A new version of a policy' as title,
            ['iam:CreatePolicyVersion'] as actions, 'arn:aws:iam::{{account}}:role/p1' as target_arn, null::varchar as via_arn, true as to_admin,
            'allowed' as verdict, 'required' as mfa, []::varchar[] as conditions
        from range(100) as t(n)
    """,
    "usage": f"""
        select
            '{{account}}' as account_id, 'arn:aws:iam::{{account}}:role/p' || n % {PRINCIPALS} as principal_arn, 'ec2:Dangerous' || n % 60 as action, 'mapped' as mapping,
            3::bigint as calls, 0::bigint as denied, timestamp '2026-11-01 06:00:00' as last_used, 'cloudtrail' as source
        from range({PRINCIPALS} * 10) as t(n)
    """,
}

EVENTS = """
select
    'e' || n as event_id, timestamp '{day} 00:00:00' + to_seconds((n % 86400)::integer) as event_time, 'ModifyInstanceAttribute' as event_name,
    'ec2.amazonaws.com' as event_source, n % 4 > 0 as read_only, null::varchar as error_code, '{account}' as recipient_account_id,
    'eu-west-1' as aws_region, 'arn:aws:iam::{account}:user/anna' as identity_arn, null::varchar as resources,
    '{{"instanceId": "i-' || printf('%017x', n * 13 % {resources}) || '"}}' as request_parameters, null::varchar as response_elements
from range({events}) as t(n)
order by event_time
"""


def write_events(lake, values):
    """Events of each of the last days, as `collect` lays them out."""
    for age in range(EVENT_DAYS):
        day = f"{bench_report.LAST - bench_report.timedelta(days=age):%Y-%m-%d}"
        sql = EVENTS.format(day=day, events=EVENTS_A_DAY, **values)
        lake.write(f"cloudtrail/event_date={day}/0-0.parquet", "cloudtrail", "collect", sql)


def bench(bin_folder, scratch, measure):
    """Every view over a generated lake: 50,000 resources, 20,000 failures, a year of weekly runs."""
    lake, out = os.path.join(scratch, "views"), os.path.join(scratch, "pictures")
    # In a process of its own: what this one has in memory would count as the tool's.
    subprocess.run([sys.executable, os.path.join(os.path.dirname(__file__), "bench_report.py"), lake, "--views"], check=True)
    runs = sorted(os.listdir(os.path.join(lake, "runs")))
    two = [os.path.join(lake, "runs", run) for run in runs[-2:]]
    tool = os.path.join(bin_folder, "diagram")
    views = [["landscape", lake], ["system", lake, "--system", "system-1"], ["dr", lake], ["exposure", lake], ["access", lake], ["diff", *two]]
    for view in views:
        wall, cpu, peak, code = measure([tool, *view], dict(os.environ))
        yield f"diagram {view[0]}, 50,000 resources, 20,000 failures, 52 runs, exit {code}", f"{wall:.2f} s, CPU {cpu:.2f} s", f"{peak:.0f} MB"
    wall, cpu, peak, code = measure([tool, "all", lake, "--out", out], dict(os.environ))
    pictures = sum(name.endswith(".dot") for name in os.listdir(out))
    yield f"diagram all --out, the same, {pictures} pictures, exit {code}", f"{wall:.2f} s, CPU {cpu:.2f} s", f"{peak:.0f} MB"
