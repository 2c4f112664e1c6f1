"""Writes CloudTrail objects as a busy account has them: bench_events.py FOLDER EVENTS [SEED].

Shapes, sizes and repetition follow what trails deliver: a few busy roles, many ids, objects of 100 to 5,000 events.
"""

import base64
import gzip
import hashlib
import json
import random
import sys
import zlib
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

ACCOUNT = "111122223333"
REGIONS = ["eu-west-1", "eu-west-1", "eu-west-1", "us-east-1", "eu-central-1"]
ROLES = [f"app-{name}" for name in ("checkout", "catalog", "payments", "identity", "search", "media", "ci", "etl")]
# Seconds that a session's credentials are valid, as those of instances and tasks are.
VALID = 6 * 3600
USERS = ["alice", "bob", "carol", "dave", "erin"]
AGENTS = [
    "aws-sdk-java/2.25.11 Linux/5.10.215 OpenJDK_64-Bit_Server_VM/17.0.11+9-LTS Java/17.0.11 kotlin/1.9.23 vendor/Amazon.com_Inc. exec-env/AWS_ECS_FARGATE io/async http/NettyNio cfg/retry-mode/standard",
    "Boto3/1.34.84 md/Botocore#1.34.84 ua/2.0 os/linux#5.10.213-201.855.amzn2.x86_64 md/arch#x86_64 lang/python#3.12.2 md/pyimpl#CPython exec-env/AWS_Lambda_python3.12 cfg/retry-mode#legacy Botocore/1.34.84",
    "aws-cli/2.15.38 Python/3.11.8 Darwin/23.4.0 exe/x86_64 prompt/off command/s3.cp",
    "APN/1.0 HashiCorp/1.0 Terraform/1.8.1 (+https://www.terraform.io) terraform-provider-aws/5.46.0 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.26.1 os/linux lang/go#1.22.2 md/GOOS#linux md/GOARCH#amd64",
]


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def hex(self, length):
        return f"{self.random.getrandbits(4 * length):0{length}x}"

    def uuid(self):
        return f"{self.hex(8)}-{self.hex(4)}-4{self.hex(3)}-a{self.hex(3)}-{self.hex(12)}"

    def key(self, prefix):
        return prefix + "".join(self.random.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=16))

    def session(self, time):
        role = self.random.choice(ROLES)
        name = f"i-0{self.random.randrange(40):016x}" if self.random.random() < 0.6 else f"{role}-{self.random.randrange(500)}"
        number = "AROA" + f"{ROLES.index(role):016X}"
        # Credentials are renewed after some hours, each role's session at a time of its own.
        own = zlib.crc32(f"{role}/{name}".encode())
        begun = datetime.fromtimestamp((int(time.timestamp()) + own % VALID) // VALID * VALID - own % VALID, timezone.utc)
        key = base64.b32encode(hashlib.sha256(f"{role}/{name}/{begun}".encode()).digest()).decode()[:16]
        return {
            "type": "AssumedRole",
            "principalId": f"{number}:{name}",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}",
            "accountId": ACCOUNT,
            "accessKeyId": "ASIA" + key,
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": number,
                    "arn": f"arn:aws:iam::{ACCOUNT}:role/{role}",
                    "accountId": ACCOUNT,
                    "userName": role,
                },
                "webIdFederationData": {},
                "attributes": {"creationDate": stamp(begun), "mfaAuthenticated": "false"},
            },
        }

    def user(self):
        name = self.random.choice(USERS)
        return {
            "type": "IAMUser",
            "principalId": "AIDA" + f"{USERS.index(name):016X}",
            "arn": f"arn:aws:iam::{ACCOUNT}:user/{name}",
            "accountId": ACCOUNT,
            "accessKeyId": "AKIA" + f"{USERS.index(name):016X}",
            "userName": name,
        }

    def call(self):
        """Service, operation, whether it reads, request, response, more members."""
        r = self.random
        kind = r.choices(range(10), weights=[24, 14, 12, 12, 9, 8, 7, 6, 5, 3])[0]
        bucket = f"shop-{r.choice(['assets', 'uploads', 'lake', 'logs'])}"
        if kind in (0, 1):
            path = f"{r.choice(['orders', 'thumbs', 'raw', 'export'])}/2026/{r.randrange(1, 13):02}/{self.hex(24)}.json"
            name, reads = ("GetObject", True) if kind == 0 else ("PutObject", False)
            arn = f"arn:aws:s3:::{bucket}"
            return "s3", name, reads, {"bucketName": bucket, "Host": f"{bucket}.s3.eu-west-1.amazonaws.com", "key": path}, (
                None if reads else {"x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/{r.randrange(8):08x}-aaaa-4bbb-8ccc-123456789012"}
            ), {
                "additionalEventData": {"SignatureVersion": "SigV4", "CipherSuite": "TLS_AES_128_GCM_SHA256", "bytesTransferredIn": 0 if reads else r.randrange(1 << 20), "AuthenticationMethod": "AuthHeader", "x-amz-id-2": self.hex(56), "bytesTransferredOut": r.randrange(1 << 20)},
                "resources": [{"type": "AWS::S3::Object", "ARN": f"{arn}/{path}"}, {"accountId": ACCOUNT, "type": "AWS::S3::Bucket", "ARN": arn}],
            }
        if kind == 2:
            key = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/{r.randrange(8):08x}-aaaa-4bbb-8ccc-123456789012"
            return "kms", "Decrypt", True, {"encryptionContext": {"aws:s3:arn": f"arn:aws:s3:::{bucket}/raw/{self.hex(16)}"}, "encryptionAlgorithm": "SYMMETRIC_DEFAULT"}, None, {
                "resources": [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": key}]
            }
        if kind == 3:
            return "sts", "AssumeRole", True, {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/{r.choice(ROLES)}", "roleSessionName": f"session-{r.randrange(1000)}", "durationSeconds": 3600}, {
                "credentials": {"accessKeyId": self.key("ASIA"), "sessionToken": "IQoJb3JpZ2luX2VjE" + self.hex(300), "expiration": "Nov 16, 2026, 7:00:00 AM"},
                "assumedRoleUser": {"assumedRoleId": f"AROA{self.hex(16).upper()}:s", "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/x/s"},
            }, {"resources": [{"accountId": ACCOUNT, "type": "AWS::IAM::Role", "ARN": f"arn:aws:iam::{ACCOUNT}:role/{r.choice(ROLES)}"}]}
        if kind == 4:
            return "ec2", "DescribeInstances", True, {"instancesSet": {"items": [{"instanceId": f"i-0{self.hex(16)}"} for _ in range(r.randrange(4))]}, "filterSet": {"items": [{"name": "instance-state-name", "valueSet": {"items": [{"value": "running"}]}}]}}, None, {}
        if kind == 5:
            return "dynamodb", "GetItem", True, {"tableName": f"table-{r.randrange(12)}", "key": {"id": "HIDDEN_DUE_TO_SECURITY_REASONS"}, "consistentRead": False}, None, {"additionalEventData": {"requestedRegion": "eu-west-1"}}
        if kind == 6:
            return "logs", "CreateLogStream", False, {"logGroupName": f"/aws/lambda/function-{r.randrange(40)}", "logStreamName": f"2026/11/16/[$LATEST]{self.hex(32)}"}, None, {"apiVersion": "20140328"}
        if kind == 7:
            return "monitoring", "GetMetricData", True, {"metricDataQueries": [{"id": f"m{n}", "metricStat": {"metric": {"namespace": "AWS/EC2", "metricName": "CPUUtilization", "dimensions": [{"name": "InstanceId", "value": f"i-0{self.hex(16)}"}]}, "period": 300, "stat": "Average"}, "returnData": True} for n in range(r.randrange(1, 8))], "startTime": "Nov 16, 2026, 5:00:00 AM", "endTime": "Nov 16, 2026, 6:00:00 AM"}, None, {}
        if kind == 8:
            return "secretsmanager", "GetSecretValue", True, {"secretId": f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:db/{r.randrange(20)}-a1b2c3"}, None, {}
        return "ec2", "RunInstances", False, {"instancesSet": {"items": [{"imageId": f"ami-0{self.hex(16)}", "minCount": 1, "maxCount": 1, "keyName": "ops"}]}, "instanceType": "t3.large", "blockDeviceMapping": {}, "monitoring": {"enabled": False}, "disableApiTermination": False}, {
            "requestId": self.uuid(), "reservationId": f"r-0{self.hex(16)}", "ownerId": ACCOUNT, "groupSet": {},
            "instancesSet": {"items": [{"instanceId": f"i-0{self.hex(16)}", "imageId": f"ami-0{self.hex(16)}", "instanceState": {"code": 0, "name": "pending"}, "privateDnsName": f"ip-10-20-{r.randrange(255)}-{r.randrange(255)}.eu-west-1.compute.internal", "amiLaunchIndex": 0, "instanceType": "t3.large", "launchTime": 1763272800000, "placement": {"availabilityZone": "eu-west-1a", "tenancy": "default"}, "subnetId": "subnet-0aaa", "vpcId": "vpc-0bbb", "stateReason": {"code": "pending", "message": "pending"}, "architecture": "x86_64", "rootDeviceType": "ebs", "rootDeviceName": "/dev/xvda", "clientToken": self.uuid(), "groupSet": {"items": [{"groupId": "sg-0ccc", "groupName": "web"}]}, "tagSet": {"items": [{"key": "Name", "value": "i41_web_checkout"}]}}]},
        }, {}

    def event(self, time, region):
        service, name, reads, request, response, more = self.call()
        human = self.random.random() < 0.05
        event = {
            "eventVersion": "1.09",
            "userIdentity": self.user() if human else self.session(time),
            "eventTime": stamp(time),
            "eventSource": f"{service}.amazonaws.com",
            "eventName": name,
            "awsRegion": region,
            "sourceIPAddress": f"10.20.{self.random.randrange(8)}.{self.random.randrange(250)}",
            "userAgent": self.random.choice(AGENTS),
        }
        if self.random.random() < 0.03:
            event["errorCode"] = "AccessDenied"
            event["errorMessage"] = f"User: {event['userIdentity']['arn']} is not authorized to perform: {service}:{name} because no identity-based policy allows the {service}:{name} action"
        event |= {"requestParameters": request, "responseElements": response, "requestID": self.uuid(), "eventID": self.uuid(), "readOnly": reads}
        event |= more
        event |= {
            "eventType": "AwsApiCall",
            "managementEvent": service not in ("s3", "dynamodb"),
            "recipientAccountId": ACCOUNT,
            "eventCategory": "Data" if service in ("s3", "dynamodb") else "Management",
            "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": f"{service}.{region}.amazonaws.com"},
        }
        return event


def stamp(time):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def write(folder, number, count, seed):
    maker = Maker(seed * 1_000_003 + number)
    time = datetime(2026, 11, 9, tzinfo=timezone.utc) + timedelta(seconds=number * 300 % (7 * 86_400))
    region = maker.random.choice(REGIONS)
    events = [maker.event(time + timedelta(seconds=maker.random.randrange(300)), region) for _ in range(count)]
    text = json.dumps({"Records": events}, separators=(",", ":")).encode()
    place = Path(folder, "AWSLogs", ACCOUNT, "CloudTrail", region, time.strftime("%Y/%m/%d"))
    place.mkdir(parents=True, exist_ok=True)
    name = f"{ACCOUNT}_CloudTrail_{region}_{time.strftime('%Y%m%dT%H%MZ')}_{maker.hex(16)}.json.gz"
    (place / name).write_bytes(gzip.compress(text, compresslevel=6, mtime=0))
    return len(text)


def main():
    folder, total = sys.argv[1], int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    sizes, left, chooser = [], total, random.Random(seed)
    while left > 0:
        size = min(left, int(100 * 50 ** chooser.random()))
        sizes.append(size)
        left -= size
    with ProcessPoolExecutor() as pool:
        texts = pool.map(write, [folder] * len(sizes), range(len(sizes)), sizes, [seed] * len(sizes), chunksize=4)
        print(json.dumps({"events": total, "objects": len(sizes), "bytes": sum(texts)}))


if __name__ == "__main__":
    main()
