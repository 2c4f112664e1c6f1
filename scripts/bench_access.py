"""Makes an organization whose permissions are to be judged: bench_access.py LAKE OUT PRINCIPALS RESOURCES ACCOUNTS. And measures how long
that takes.

The latest run of LAKE lends its record and the columns of its tables; what stands in them is generated, always the same for the
same numbers: users in groups, roles that trust users, services and each other, 300 customer-managed policies with wildcards,
denies, conditions on tags and on MFA, in 200 combinations that jobs need, a unique inline policy for every tenth principal,
boundaries, policies of buckets, keys and queues, and service control policies on three levels.
"""

import hashlib
import json
import os
import random
import re
import statistics
import subprocess
import sys
from pathlib import Path

import duckdb

REPOSITORY = Path(__file__).resolve().parent.parent
REGION = "eu-west-1"
LABEL = "sevenwalls"
POLICIES = 300
ORGANIZATION, ROOT, UNITS = "o-bench12345", "r-b1", ["ou-b1-aaaaaaaa", "ou-b1-bbbbbbbb"]
# type of a resource: its ARN; the thirty types that accounts hold most of
KINDS = {
    "s3:bucket": "arn:aws:s3:::{name}",
    "sqs:queue": "arn:aws:sqs:{region}:{account}:{name}",
    "kms:key": "arn:aws:kms:{region}:{account}:key/{name}",
    "sns:topic": "arn:aws:sns:{region}:{account}:{name}",
    "rds:db": "arn:aws:rds:{region}:{account}:db:{name}",
    "rds:cluster": "arn:aws:rds:{region}:{account}:cluster:{name}",
    "rds:snapshot": "arn:aws:rds:{region}:{account}:snapshot:{name}",
    "ec2:instance": "arn:aws:ec2:{region}:{account}:instance/i-{name}",
    "ec2:volume": "arn:aws:ec2:{region}:{account}:volume/vol-{name}",
    "ec2:snapshot": "arn:aws:ec2:{region}::snapshot/snap-{name}",
    "ec2:security-group": "arn:aws:ec2:{region}:{account}:security-group/sg-{name}",
    "ec2:network-interface": "arn:aws:ec2:{region}:{account}:network-interface/eni-{name}",
    "ec2:vpc": "arn:aws:ec2:{region}:{account}:vpc/vpc-{name}",
    "ec2:route-table": "arn:aws:ec2:{region}:{account}:route-table/rtb-{name}",
    "autoscaling:autoScalingGroup": "arn:aws:autoscaling:{region}:{account}:autoScalingGroup:{name}:autoScalingGroupName/{name}",
    "elasticloadbalancing:loadbalancer": "arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/app/{name}/50dc6c495c0c9188",
    "lambda:function": "arn:aws:lambda:{region}:{account}:function:{name}",
    "logs:log-group": "arn:aws:logs:{region}:{account}:log-group:/app/{name}",
    "dynamodb:table": "arn:aws:dynamodb:{region}:{account}:table/{name}",
    "secretsmanager:secret": "arn:aws:secretsmanager:{region}:{account}:secret:{name}-AbCdEf",
    "elasticfilesystem:file-system": "arn:aws:elasticfilesystem:{region}:{account}:file-system/fs-{name}",
    "es:domain": "arn:aws:es:{region}:{account}:domain/{name}",
    "ecr:repository": "arn:aws:ecr:{region}:{account}:repository/{name}",
    "eks:cluster": "arn:aws:eks:{region}:{account}:cluster/{name}",
    "ecs:cluster": "arn:aws:ecs:{region}:{account}:cluster/{name}",
    "route53:hostedzone": "arn:aws:route53:::hostedzone/Z{name}",
    "cloudwatch:alarm": "arn:aws:cloudwatch:{region}:{account}:alarm:{name}",
    "events:rule": "arn:aws:events:{region}:{account}:rule/{name}",
    "backup:recovery-point": "arn:aws:backup:{region}:{account}:recovery-point:{name}",
    "ssm:parameter": "arn:aws:ssm:{region}:{account}:parameter/{name}",
}
SYSTEMS = [f"system-{number:02}" for number in range(20)]
VERBS = ["*", "Delete*", "Put*", "Describe*", "Get*", "List*", "Update*", "Modify*", "Create*"]


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def statement(random, account):
    """One of the kinds of statements that accounts are full of."""
    kind = random.choice(list(KINDS))
    service = kind.split(":")[0]
    arn = KINDS[kind].format(region=random.choice([REGION, "*"]), account=random.choice([account, "*"]), name=f"{random.choice(SYSTEMS)}-*")
    actions = sorted({f"{service}:{verb}" for verb in random.sample(VERBS, random.randint(1, 3))})
    allow = {"Effect": "Allow", "Action": actions, "Resource": random.choice([arn, [arn, arn + "/*"], "*"])}
    shape = random.randrange(10)
    if shape == 0:
        allow["Condition"] = {"StringEquals": {"aws:ResourceTag/environment": random.choice(["dev", "test", "${aws:PrincipalTag/environment}"])}}
    elif shape == 1:
        allow["Condition"] = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    elif shape == 2:
        allow["Condition"] = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    elif shape == 3:
        return {"Effect": "Deny", "Action": [f"{service}:Delete*"], "Resource": arn, "Condition": {"StringNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/break-glass-*"}}}
    elif shape == 4:
        return {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", f"{service}:Delete*"], "Resource": arn}
    return allow


def policy(random, account):
    return document(*(statement(random, account) for _ in range(random.randint(1, 6))))


class Organization:
    """The rows of all tables, by table."""

    def __init__(self, principals, resources, accounts):
        self.random = random.Random(20261116)
        self.accounts = [f"{200000000000 + number:012}" for number in range(accounts)]
        self.rows = {}
        self.limits()
        for nth, account in enumerate(self.accounts):
            share = lambda total: total * (nth + 1) // accounts - total * nth // accounts
            policies = self.policies(account, share(POLICIES))
            self.groups(account, policies)
            self.principals(account, share(principals), policies)
            self.resources(account, share(resources))

    def add(self, table, account, arn, **columns):
        self.rows.setdefault(table, []).append({"account_id": account, "region": "global", "arn": arn, "tags": {}, "incomplete": [], "config": {}, **columns})

    def resource(self, account, arn, kind, name, tags, region="global", table=None):
        self.rows.setdefault("resources", []).append(
            {"account_id": account, "region": region, "arn": arn, "service": kind.split(":")[0], "resource_type": kind, "name": name, "tags": tags, "source_table": table}
        )

    def limits(self):
        management = self.accounts[0]
        everything = document({"Effect": "Allow", "Action": "*", "Resource": "*"})
        named = {"StringNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/break-glass-*"}}
        levels = [
            (ROOT, document({"Effect": "Deny", "Action": ["organizations:LeaveOrganization", "cloudtrail:StopLogging", "cloudtrail:DeleteTrail"], "Resource": "*"})),
            (UNITS[0], document({"Effect": "Deny", "NotAction": ["iam:*", "sts:*", "route53:*", "cloudfront:*"], "Resource": "*", "Condition": {"StringNotEquals": {"aws:RequestedRegion": [REGION, "us-east-1"]}}})),
            (UNITS[1], document({"Effect": "Deny", "Action": ["rds:Delete*", "s3:DeleteBucket", "kms:ScheduleKeyDeletion"], "Resource": "*", "Condition": named})),
        ]
        arn = f"arn:aws:organizations::{management}:policy/{ORGANIZATION}/service_control_policy/p-"
        nodes = [ROOT, *UNITS, *self.accounts]
        self.add("aws_organizations_service_control_policy", management, "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess", content=everything, target_ids=nodes)
        for nth, (node, content) in enumerate(levels):
            self.add("aws_organizations_service_control_policy", management, f"{arn}{nth:08}", content=content, target_ids=[node])
        self.add("aws_organizations_organization", management, f"arn:aws:organizations::{management}:organization/{ORGANIZATION}", management_account_id="999999999999", organization_id=ORGANIZATION)
        for account in self.accounts:
            path = "/".join([ORGANIZATION, ROOT, *UNITS, account]) + "/"
            self.add("aws_organizations_account", management, f"arn:aws:organizations::{management}:account/{ORGANIZATION}/{account}", member_account_id=account, paths=[path])

    def policies(self, account, count):
        arns = []
        for nth in range(count):
            arns.append(f"arn:aws:iam::{account}:policy/team-{nth}")
            self.add("aws_iam_policy", account, arns[-1], name=f"team-{nth}", policy_name=f"team-{nth}", document=policy(self.random, account))
        admin = "arn:aws:iam::aws:policy/AdministratorAccess"
        self.add("aws_iam_policy", account, admin, name="AdministratorAccess", is_aws_managed=True, document=document({"Effect": "Allow", "Action": "*", "Resource": "*"}))
        return arns

    def groups(self, account, policies):
        for nth in range(20):
            attached = self.random.sample(policies, min(2, len(policies)))
            self.add("aws_iam_group", account, f"arn:aws:iam::{account}:group/g-{nth}", name=f"g-{nth}", group_name=f"g-{nth}", attached_policy_arns=attached, inline_policies=[])

    def principals(self, account, count, policies):
        users = count * 3 // 10
        jobs = [self.random.sample(policies, min(self.random.randint(1, 4), len(policies))) for _ in range(max(len(policies) * 2 // 3, 1))]
        for nth in range(count):
            kind, name = ("user", f"u-{nth}") if nth < users else ("role", f"r-{nth - users}")
            attached = list(self.random.choice(jobs))
            if nth % 200 == 199:
                attached.append("arn:aws:iam::aws:policy/AdministratorAccess")
            inline = [{"PolicyName": "own", "PolicyDocument": json.loads(policy(self.random, account))}] if nth % 10 == 0 else []
            columns = {
                "name": name, "path": "/", "attached_policy_arns": sorted(attached), "inline_policies": inline,
                "permissions_boundary_arn": self.random.choice(policies) if nth % 10 == 5 else None,
                "tags": {"environment": self.random.choice(["dev", "test", "production"])},
            }
            if kind == "user":
                groups = sorted(f"g-{group}" for group in self.random.sample(range(20), 2))
                self.add("aws_iam_user", account, f"arn:aws:iam::{account}:user/{name}", user_name=name, user_id=f"AIDA{account}{nth:05}", group_names=groups, active_access_key_ids=[f"AKIA{nth:016}"] if nth % 3 == 0 else [], **columns)
            else:
                trust = self.trust(account, nth - users)
                self.add("aws_iam_role", account, f"arn:aws:iam::{account}:role/{name}", role_name=name, role_id=f"AROA{account}{nth:05}", assume_role_policy=trust, is_service_linked=False, **columns)

    def trust(self, account, nth):
        if nth % 10 < 6:
            principal, condition = {"Service": self.random.choice(["ec2.amazonaws.com", "lambda.amazonaws.com", "ecs-tasks.amazonaws.com"])}, {}
        elif nth % 10 < 9:
            principal, condition = {"AWS": f"arn:aws:iam::{account}:root"}, {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}
        else:
            principal, condition = {"AWS": f"arn:aws:iam::{account}:role/r-{nth - 1}"}, {}
        return document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **condition})

    def resources(self, account, count):
        kinds = list(KINDS)
        for nth in range(count):
            kind = kinds[nth % len(kinds)]
            name = f"{self.random.choice(SYSTEMS)}-{account[-4:]}-{nth}"
            arn = KINDS[kind].format(region=REGION, account=account, name=name)
            tags = {"environment": self.random.choice(["dev", "test", "production"]), "importance": self.random.choice(["low", "medium", "high", "critical"])}
            table = {"s3:bucket": "aws_s3_bucket", "kms:key": "aws_kms_key", "sqs:queue": "aws_sqs_queue"}.get(kind)
            self.resource(account, arn, kind, name, tags, REGION, table)
            if table:
                role = f"arn:aws:iam::{account}:role/r-{self.random.randrange(40)}"
                whole = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "kms:*", "Resource": "*"}
                some = {"Effect": "Allow", "Principal": {"AWS": role}, "Action": f"{kind.split(':')[0]}:*", "Resource": arn}
                content = document(whole) if kind == "kms:key" else document(some) if self.random.random() < 0.2 else None
                # What collect has asked for and found to be absent is known to be absent.
                config = {"QueueAttributes": {}} if kind == "sqs:queue" else {}
                self.add(table, account, arn, name=name, policy=content, has_policy=content is not None, region=REGION, config=config)


def evaluator(bin_folder, _, __):
    """Decisions a second, of the test cases of the evaluator."""
    cases = b"".join(path.read_bytes() for path in sorted((REPOSITORY / "analyze/tests/iam").glob("*.jsonl")))
    said = subprocess.run([f"{bin_folder}/analyze", "simulate", "--repeat", "4000"], input=cases, capture_output=True, check=True)
    yield "analyze simulate: " + said.stdout.decode().split(" in ")[0], said.stdout.decode().strip().split(" in ")[1], ""


def bench(bin_folder, scratch, measure):
    """Grants of 5,000 principals on 50,000 resources, in ten accounts and in one, and a question about one of them."""
    small, log = f"{scratch}/demo", f"{scratch}/access.log"
    measure([f"{bin_folder}/collect", "inventory", "--from", str(REPOSITORY / "fixtures/demo/recording"), "--lake", small], dict(os.environ))
    for accounts in (10, 1):
        lake = f"{scratch}/access-{accounts}"
        subprocess.run([sys.executable, __file__, small, lake, "5000", "50000", str(accounts)], check=True, stdout=subprocess.DEVNULL)
        command = [f"{bin_folder}/analyze", lake, "--check", "tag-required-missing"]
        wall, cpu, peak, code = measure(command, {**os.environ, "SEVENWALLS_LOG": "analyze=debug"}, stderr=log)
        seconds = re.search(r'tables="[^"]*\bgrants\b[^"]*" seconds=([0-9.]+)', Path(log).read_text()).group(1)
        count = lambda table: next(file["rows"] for file in record(lake)["files"] if file["table"] == table)  # noqa: E731
        what = f"analyze, 5,000 principals, 50,000 resources, {accounts} accounts: {count('grants'):,} grants, {count('critical_grants'):,} of them critical, exit {code}"
        yield what, f"{wall:.1f} s, CPU {cpu:.1f} s; grants {float(seconds):.1f} s", f"{peak:.0f} MB"
        arn = f"arn:aws:kms:{REGION}:200000000000:key/"
        query = [f"{bin_folder}/analyze", "query", f"select min(resource_arn) as arn from resource_classes where starts_with(resource_arn, '{arn}')", "--run", f"{lake}/runs/{record(lake)['run']}", "--format", "json"]
        key = json.loads(subprocess.run(query, capture_output=True, check=True).stdout)[0]["arn"]
        ask = [f"{bin_folder}/analyze", "access", "--action", "kms:ScheduleKeyDeletion", "--resource", key, lake]
        asked = [measure(ask, dict(os.environ)) for _ in range(5)]
        wall, cpu = (statistics.median(values) for values in list(zip(*asked))[:2])
        yield f"analyze access --action kms:ScheduleKeyDeletion, one key of those {accounts} accounts", f"{wall:.2f} s, CPU {cpu:.2f} s", f"{max(peak for _, _, peak, _ in asked):.0f} MB"


def record(lake):
    """What analyze has written."""
    (run,) = (Path(lake) / "runs").iterdir()
    return json.loads((run / "analyze.json").read_text())


def main():
    lake, out, principals, resources, accounts = Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:6])
    run = sorted(path.name for path in (lake / "runs").iterdir())[-1]
    record = json.loads((lake / "runs" / run / "collect.json").read_text())
    made = Organization(principals, resources, accounts)
    database = duckdb.connect()
    files = []
    for table in dict.fromkeys(file["table"] for file in record["files"]):
        entry = next(file for file in record["files"] if file["table"] == table)
        source, path = lake / entry["path"], out / entry["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        columns = {name: kind for name, kind, *_ in database.sql(f"describe select * from read_parquet('{source}', hive_partitioning = false)").fetchall()}
        label = database.sql(f"select value from parquet_kv_metadata('{source}') where key = '{LABEL}'").fetchall()[0][0].decode()
        rows = path.with_suffix(".ndjson")
        rows.write_text("".join(json.dumps({name: row.get(name) for name in columns}) + "\n" for row in made.rows.get(table, [])))
        values = f"read_json('{rows}', columns = {columns!r}, format = 'newline_delimited', maximum_object_size = 10000000)" if rows.stat().st_size else f"(select * from '{source}' limit 0)"
        database.execute(f"copy (select * from {values}) to '{path}' (format parquet, compression zstd, kv_metadata {{{LABEL}: '{label}'}})")
        rows.unlink()
        data = path.read_bytes()
        files.append({**entry, "rows": len(made.rows.get(table, [])), "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()})
    tables = [{**outcome, "account_id": account, "errors": 0} for outcome in record["tables"] for account in made.accounts]
    folder = out / "runs" / run
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "collect.json").write_text(json.dumps({**record, "files": files, "tables": tables}))
    print(json.dumps({table: len(rows) for table, rows in made.rows.items()}))


if __name__ == "__main__":
    main()
