"""Measures the tools against a moto server: wall time, CPU time, peak memory of each process.

Called by scripts/bench as: bench.py <folder of the binaries> [benchmark]...
moto is a single Python process, so it is the bottleneck by far; what is measured of ours is the CPU time beside
the wall time, and the memory.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request

import boto3

import bench_access
import bench_detections
import bench_trail
import bench_views

REGION = "eu-west-1"
# Operations to which moto answers 500, so that they are retried until the attempts are used up.
NOT_IN_MOTO = [
    argument
    for table in ("aws_accessanalyzer_*", "aws_elasticache_global_*", "aws_rds_db_major_engine_version", "aws_ssm_*")
    for argument in ("--skip", table)
]


class Moto:
    """A moto server of its own process."""

    def __init__(self, port, account="111122223333"):
        self.url = f"http://127.0.0.1:{port}"
        # With an account of its own the server takes every credential for that one; without, roles can be assumed.
        only = {"MOTO_ACCOUNT_ID": account} if account else {}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Without the images and the 1,291 snapshots of other accounts that moto starts with, and that AWS would not list.
            env={**os.environ, **only, "MOTO_EC2_LOAD_DEFAULT_AMIS": "false"},
        )
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(self.url + "/moto-api/").read()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def client(self, service, keys=None):
        """A client with the keys that an assumed role has, or with those of the server's own account."""
        keys = keys or {"AccessKeyId": "test", "SecretAccessKey": "test"}
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys.get("SessionToken"),
        )

    def environment(self):
        return {
            **os.environ,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }


def fill(moto, count, keys=None, account=""):
    """About `count` resources: half volumes and instances, the rest groups, roles, buckets, keys, functions' kin."""
    ec2, iam, s3, kms, route53 = (moto.client(name, keys) for name in ("ec2", "iam", "s3", "kms", "route53"))
    tags = [
        {"Key": "Name", "Value": "w01_web_bench"},
        {"Key": "Owner", "Value": "team-bench"},
        {"Key": "Environment", "Value": "prod"},
    ]

    def tagged(kind):
        return [{"ResourceType": kind, "Tags": tags}]

    made = 0
    image = "ami-0123456789abcdef0"
    # An instance brings a volume and an interface.
    for _ in range(count // 60):
        ec2.run_instances(ImageId=image, MinCount=10, MaxCount=10, TagSpecifications=tagged("instance"))
        made += 30
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    for number in range(count // 10):
        group = ec2.create_security_group(GroupName=f"g{number}", Description="bench", VpcId=vpc)["GroupId"]
        ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=443, ToPort=443, CidrIp="0.0.0.0/0")
        made += 1
    for number in range(count // 10):
        ec2.create_volume(AvailabilityZone=REGION + "a", Size=8, TagSpecifications=tagged("volume"))
        made += 1
    trust = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
        }
    )
    for number in range(count // 20):
        iam.create_role(RoleName=f"r{number}", AssumeRolePolicyDocument=trust, Tags=tags)
        made += 1
    for number in range(count // 50):
        bucket = f"bench{account}-{number}"
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
        made += 1
    for number in range(count // 50):
        kms.create_key(Description=f"k{number}", Tags=[{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in tags])
        made += 1
    zone = route53.create_hosted_zone(Name="bench.example.com", CallerReference="bench")["HostedZone"]["Id"]
    made += 1
    for number in range(count - made):
        change = {"Name": f"h{number}.bench.example.com", "Type": "A", "TTL": 300, "ResourceRecords": [{"Value": "198.51.100.1"}]}
        route53.change_resource_record_sets(
            HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": change}]}
        )


def measure(command, environment, stdin=None, stdout=None, stderr=None):
    """Runs a process; (wall seconds, CPU seconds, peak MB, exit code)."""
    before = time.monotonic()
    errors = open(stderr, "wb") if stderr else subprocess.DEVNULL
    process = subprocess.Popen(command, env=environment, stdin=stdin, stdout=stdout or subprocess.DEVNULL, stderr=errors)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - before
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, process.returncode


def record_of(lake, stage):
    runs = os.path.join(lake, "runs")
    with open(os.path.join(runs, sorted(os.listdir(runs))[-1], stage + ".json")) as file:
        return json.load(file)


def bench_collect(bin_folder, scratch):
    """collect inventory of about 5,000 resources (and some DNS records) in one region."""
    with Moto(5601) as moto:
        fill(moto, 6350)
        lake = os.path.join(scratch, "collect")
        command = [os.path.join(bin_folder, "collect"), "inventory", "--region", REGION, "--lake", lake, *NOT_IN_MOTO]
        wall, cpu, peak, code = measure(command, moto.environment())
        record = record_of(lake, "collect")
        requests = record["figures"].get("requests", 0)
        rows = sum(file["rows"] for file in record["files"] if file["table"] == "resources")
        yield (
            f"collect, {rows} resources, {requests} requests, exit {code}",
            f"{wall:.1f} s, {requests / wall:.0f} requests/s, own CPU {cpu:.2f} s = {100 * cpu / wall:.0f} % of the wall time",
            f"{peak:.0f} MB",
        )


def bench_accounts(bin_folder, scratch):
    """collect inventory --organization of 20 accounts with about 500 resources each, in one region."""
    with Moto(5603, account=None) as moto:
        organizations, sts = moto.client("organizations"), moto.client("sts")
        organizations.create_organization(FeatureSet="ALL")
        fill(moto, 500)
        for number in range(19):
            made = organizations.create_account(Email=f"a{number}@example.com", AccountName=f"a{number}")
            account = made["CreateAccountStatus"]["AccountId"]
            role = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
            fill(moto, 500, sts.assume_role(RoleArn=role, RoleSessionName="bench")["Credentials"], account)
        lake = os.path.join(scratch, "accounts")
        command = [os.path.join(bin_folder, "collect"), "inventory", "--organization", "--region", REGION, "--lake", lake]
        wall, cpu, peak, code = measure([*command, *NOT_IN_MOTO], moto.environment())
        record = record_of(lake, "collect")
        rows = sum(file["rows"] for file in record["files"] if file["table"] == "resources")
        accounts = len({file["account_id"] for file in record["files"]})
        yield (
            f"collect, {accounts} accounts, {rows} resources, {record['figures']['requests']} requests, exit {code}",
            f"{wall:.1f} s, own CPU {cpu:.2f} s",
            f"{peak:.0f} MB",
        )


def bench_pipeline(bin_folder, scratch):
    """collect, analyze and report of 420 resources in one region, stage by stage."""
    with Moto(5602) as moto:
        fill(moto, 420)
        lake = os.path.join(scratch, "pipeline")
        environment = moto.environment()
        tool = lambda name: os.path.join(bin_folder, name)  # noqa: E731
        # moto loads the code of a service with its first request: let it, before the clock starts.
        measure([tool("collect"), "inventory", "--region", REGION, "--lake", lake + "-warm", *NOT_IN_MOTO], environment)
        total, peaks = 0.0, []
        for name, command in (
            ("collect", [tool("collect"), "inventory", "--region", REGION, "--lake", lake, *NOT_IN_MOTO]),
            ("analyze", [tool("analyze"), lake]),
            ("report", [tool("report"), lake]),
        ):
            wall, cpu, peak, code = measure(command, environment)
            total += wall
            peaks.append(peak)
            yield f"{name}, 420 resources, exit {code}", f"{wall:.2f} s, CPU {cpu:.2f} s", f"{peak:.0f} MB"
        yield "collect, analyze, report one after the other", f"{total:.2f} s", f"{max(peaks):.0f} MB"


def bench_cloudtrail(bin_folder, scratch):
    """Trails into a lake, beside DuckDB on the same objects, and what is asked of the lake."""
    yield from bench_trail.bench(bin_folder, scratch, measure)


def bench_detections_of_a_year(bin_folder, scratch):
    """analyze over the demo account's year, multiplied to as many events as are asked for, of 20 accounts."""
    yield from bench_detections.bench(bin_folder, scratch, measure)


def bench_checks(bin_folder, scratch):
    """analyze, diagram and report over the demo account, multiplied to 50,000 resources of 20 accounts."""
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    tool = lambda name: os.path.join(bin_folder, name)  # noqa: E731
    small, lake = os.path.join(scratch, "demo"), os.path.join(scratch, "checks")
    environment = {**os.environ, "SEVENWALLS_LOG": "analyze=debug"}
    measure([tool("collect"), "inventory", "--from", os.path.join(root, "fixtures/demo/recording"), "--lake", small], environment)
    made = subprocess.run([sys.executable, os.path.join(root, "scripts/bench_inventory.py"), small, lake, "20", "5"], capture_output=True, check=True)
    resources = json.loads(made.stdout)["resources"]
    log = os.path.join(scratch, "analyze.log")
    wall, cpu, peak, code = measure([tool("analyze"), lake], environment, stderr=log)
    with open(log) as lines:
        judged = [float(line.rsplit("seconds=", 1)[1]) for line in lines if "judged" in line]
    yield f"analyze, {resources} resources of 20 accounts, {len(judged)} checks, exit {code}", f"{wall:.1f} s, CPU {cpu:.1f} s; the checks {sum(judged):.1f} s, the slowest {max(judged):.2f} s", f"{peak:.0f} MB"
    for name, command in (("diagram landscape", [tool("diagram"), "landscape", lake]), ("report", [tool("report"), lake])):
        wall, cpu, peak, code = measure(command, os.environ)
        yield f"{name}, {resources} resources, exit {code}", f"{wall:.2f} s, CPU {cpu:.2f} s", f"{peak:.0f} MB"


def bench_report(bin_folder, scratch):
    """The whole report folder over a generated lake: 50,000 resources, 20,000 failures, a year of weekly runs."""
    lake, out = os.path.join(scratch, "year"), os.path.join(scratch, "report")
    # In a process of its own: what this one has in memory would count as the tool's.
    generator = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bench_report.py")
    subprocess.run([sys.executable, generator, lake], check=True)
    command = [os.path.join(bin_folder, "report"), lake, "--out", out, "--format", "markdown", "--format", "json", "--format", "csv"]
    wall, cpu, peak, code = measure(command, dict(os.environ))
    files = [os.path.join(folder, name) for folder, _, names in os.walk(out) for name in names if name.endswith(".md")]
    largest = max(map(os.path.getsize, files)) // 1000
    what = f"report --out, 50,000 resources, 20,000 failures, 52 runs: {len(files)} files of up to {largest} kB, exit {code}"
    yield what, f"{wall:.2f} s, CPU {cpu:.2f} s", f"{peak:.0f} MB"


def bench_diagram(bin_folder, scratch):
    """Every view of diagram."""
    yield from bench_views.bench(bin_folder, scratch, measure)


def bench_evaluator(bin_folder, scratch):
    """The evaluator of IAM policies."""
    yield from bench_access.evaluator(bin_folder, scratch, measure)


def bench_permissions(bin_folder, scratch):
    """Who may do what, in a generated organization."""
    yield from bench_access.bench(bin_folder, scratch, measure)


BENCHMARKS = {
    "collect": bench_collect,
    "accounts": bench_accounts,
    "pipeline": bench_pipeline,
    "checks": bench_checks,
    "report": bench_report,
    "views": bench_diagram,
    "cloudtrail": bench_cloudtrail,
    "detections": bench_detections_of_a_year,
    "evaluator": bench_evaluator,
    "access": bench_permissions,
}


def main():
    bin_folder, *names = sys.argv[1:]
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        sys.exit(f"error: no benchmark {unknown[0]!r}: give any of {', '.join(BENCHMARKS)}")
    print("| what | time | peak memory |\n| --- | --- | --- |")
    with tempfile.TemporaryDirectory() as scratch:
        for name in names or BENCHMARKS:
            for row in BENCHMARKS[name](bin_folder, scratch):
                print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
