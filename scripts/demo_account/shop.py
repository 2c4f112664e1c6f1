"""What every part of the account shares: clients, the calendar, tags, and the list of planted faults.

Invariant: nothing here reads the wall clock or an unseeded source of randomness, so the recording is the same on every run.
"""

import os

os.environ["MOTO_ACCOUNT_ID"] = "111122223333"
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
os.environ["AWS_ACCESS_KEY_ID"] = "testing"
os.environ["AWS_SECRET_ACCESS_KEY"] = "testing"
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"

import boto3  # noqa: E402
import botocore.config  # noqa: E402

ACCOUNT_ID = "111122223333"
MAIN_REGION = "eu-west-1"
GLOBAL_REGION = "us-east-1"
REGIONS = (MAIN_REGION, GLOBAL_REGION)
RECORDED_AT = "2026-11-16T06:00:00Z"

OWNERS = {
    "checkout": "team-checkout",
    "catalog": "team-catalog",
    "payments": "team-payments",
    "identity": "team-identity",
    "analytics": "team-data",
    "platform": "team-platform",
    "search": "team-catalog",
    "media": "team-catalog",
    "notifications": "team-messaging",
    "shipping": "team-logistics",
    "backoffice": "team-support",
    "reporting": "team-data",
    "mobile": "team-mobile",
}
# What of these is in production was made by Terraform, and says so.
TERRAFORM = ("search", "notifications", "mobile", "reporting")


class Shop:
    """The account under construction."""

    def __init__(self, clock):
        self._clock = clock
        self._clients = {}
        # Names given to created objects (VPC ids, ARNs...), so that one part can refer to what another part made.
        self.ids = {}
        # (check id, ARN, expected status, why), in the order of planting.
        self.faults = []
        # Tags of resources whose service the emulator leaves out of GetResources: (region, ARN) -> tags.
        self.swept = {}
        # Answers that replace the emulator's: (region, service, operation, parameter or None) -> answer.
        self.answers = {}
        self.used = set()
        # (service, operation) -> the empty answer of an operation that the emulator doesn't know.
        self.nothing = {}
        # (text, replacement) over all that is written: names that the emulator makes up and AWS never would.
        self.replacements = []
        # Addresses of those interfaces that something else names: (description, subnet) -> address.
        self.addresses = {}
        # Interfaces that services put into our subnets: (owner, description, group, subnets, has a public address).
        self.interfaces = []
        # Functions (region, parameter, answer) -> answer that correct the emulator's: (service, operation) -> function.
        self.corrections = {}

    def client(self, service, region=MAIN_REGION):
        key = (service, region)
        if key not in self._clients:
            settings = botocore.config.Config(
                retries={"max_attempts": 0}, s3={"addressing_style": "path"}, parameter_validation=True
            )
            self._clients[key] = boto3.client(service, region_name=region, config=settings)
        return self._clients[key]

    def at(self, moment):
        """Moves the calendar: everything that follows happens at `moment`."""
        self._clock.move_to(moment)

    def fault(self, check, arn, why, status="fail"):
        """Notes that `check` must answer `status` for `arn`."""
        self.faults.append((check, arn, status, why))

    def sweep(self, arn, mapping, region=MAIN_REGION):
        """Notes the tags of a resource that the emulator's GetResources leaves out."""
        if mapping:
            self.swept[(region, arn)] = mapping

    def answer(self, service, operation, answer, parameter=None, region=MAIN_REGION):
        self.answers[(region, service, operation, parameter)] = answer

    def add(self, service, operation, member, row, parameter=None, region=MAIN_REGION):
        """Adds a row to a list of an answer written by hand."""
        answer = self.answers.setdefault((region, service, operation, parameter), {})
        answer.setdefault(member, []).append(row)

    def denied(self, service, operation, action, parameter=None, region=MAIN_REGION):
        message = (
            f"User: arn:aws:sts::{ACCOUNT_ID}:assumed-role/inventory/collect is not authorized to perform: {action} "
            "because no identity-based policy allows the action"
        )
        self.answer(service, operation, {"Error": {"Code": "AccessDenied", "Message": message}}, parameter, region)

    def rewrite(self, text):
        for old, new in self.replacements:
            text = text.replace(old, new)
        return text

    def correct(self, service, operation, function):
        self.corrections[(service, operation)] = function


def tags(name, system=None, importance=None, dr=None, env="prod", owner=None, **more):
    """The tag scheme of the shop; what is None is left out. The system follows from the name when it isn't given."""
    system = system or name.rsplit("_", 1)[-1]
    owner = OWNERS.get(system) if owner is None else owner
    scheme = {
        "Name": name,
        "Owner": owner,
        "Environment": env,
        "Importance": importance,
        "System": system,
        "DR": dr,
        "ManagedBy": "terraform" if system in TERRAFORM and env == "prod" else None,
        **more,
    }
    return {key: value for key, value in scheme.items() if value}


def pairs(mapping):
    """Tags in the form that most services take."""
    return [{"Key": key, "Value": value} for key, value in mapping.items()]


def lower_pairs(mapping):
    """Tags in the form of ECS and a few others."""
    return [{"key": key, "value": value} for key, value in mapping.items()]


def spec(kind, mapping):
    """EC2's TagSpecifications for one resource."""
    return [{"ResourceType": kind, "Tags": pairs(mapping)}] if mapping else []


def ec2_arn(kind, identifier, region=MAIN_REGION):
    return f"arn:aws:ec2:{region}:{ACCOUNT_ID}:{kind}/{identifier}"


def iam_arn(kind, name):
    return f"arn:aws:iam::{ACCOUNT_ID}:{kind}/{name}"


def account_arn():
    """What findings about the account itself are filed under."""
    return f"arn:aws:iam::{ACCOUNT_ID}:root"
