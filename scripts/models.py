#!/usr/bin/env python3
"""Derive collect/models/*.json from botocore's public service models.

botocore (PyPI, Apache-2.0) describes every AWS API. This script keeps what a caller needs for the
operations listed in collect/models/operations.txt: names, types, places on the wire, pagination,
and where the endpoints are. Documentation, examples, validation and waiters stay behind.

    python scripts/models.py            write the model files
    python scripts/models.py --check    exit 1 when the files on disk differ from what would be written

The output depends on the installed botocore and the list of operations alone; the version used is
in the header of every file.
"""

import argparse
import collections
import gzip
import json
import pathlib
import re
import sys

import botocore
from botocore.endpoint_provider import EndpointProvider

MODELS = pathlib.Path(__file__).resolve().parent.parent / "collect" / "models"
DATA = pathlib.Path(botocore.__file__).parent / "data"
SOURCE = {
    "source": "botocore",
    "version": botocore.__version__,
    "licence": "Apache-2.0",
    "project": "https://github.com/boto/botocore",
}
# A service may speak several protocols; these are the ones collect speaks, the simplest to read first.
PROTOCOLS = ["json", "rest-json", "rest-xml", "query", "ec2"]
# Partitions that the public can have accounts in.
PARTITIONS = ["aws", "aws-cn", "aws-us-gov", "aws-eusc"]
# Name in endpoints.json, FIPS, dual-stack.
VARIANTS = [("plain", False, False), ("fips", True, False), ("dualstack", False, True), ("fipsDualstack", True, True)]
SCALARS = {"string", "integer", "long", "float", "double", "boolean", "timestamp", "blob", "character"}
# Types of ours, beside the scalars: free JSON, and IAM's URL-encoded JSON documents.
SPECIAL = {"document", "policyDocument"}
# botocore accepts `/hostedzone/Z1` where Route 53 wants `Z1`, for members of these shapes.
ROUTE53_IDS = {"ResourceId", "DelegationSetId", "ChangeId"}

# The IAM action that allows an operation, where it is not <signing name>:<operation>. From the
# Service Authorization Reference (https://docs.aws.amazon.com/service-authorization/latest/reference/).
IAM_PREFIX = {"cloudwatch": "cloudwatch"}
IAM_ACTIONS = {
    ("s3", "ListBuckets"): "s3:ListAllMyBuckets",
    ("s3", "GetBucketEncryption"): "s3:GetEncryptionConfiguration",
    ("s3", "GetBucketLifecycleConfiguration"): "s3:GetLifecycleConfiguration",
    ("s3", "GetBucketReplication"): "s3:GetReplicationConfiguration",
    ("s3", "GetPublicAccessBlock"): "s3:GetBucketPublicAccessBlock",
    ("s3", "GetObjectLockConfiguration"): "s3:GetBucketObjectLockConfiguration",
    ("s3", "GetBucketNotificationConfiguration"): "s3:GetBucketNotification",
    ("s3control", "GetPublicAccessBlock"): "s3:GetAccountPublicAccessBlock",
}
# Pages that botocore doesn't know of, as it would write them.
PAGINATION = {
    ("iam", "GetServiceLastAccessedDetails"): {
        "input_token": "Marker",
        "output_token": "Marker",
        "more_results": "IsTruncated",
        "limit_key": "MaxItems",
        "result_key": "ServicesLastAccessed",
        "non_aggregate_keys": ["JobStatus", "JobType", "JobCreationDate", "JobCompletionDate", "Error"],
    },
}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--check", action="store_true", help="compare with the files on disk instead of writing")
    check = arguments.parse_args().check
    files = {}
    operations = read_operations(MODELS / "operations.txt")
    for service, names in operations.items():
        files[f"{service}.json"] = service_model(service, names)
    files["endpoints.json"] = endpoints(operations)
    changed = [name for name, model in files.items() if write(MODELS / name, model, check)]
    stale = sorted({path.name for path in MODELS.glob("*.json")} - set(files))
    for name in stale:
        if not check:
            (MODELS / name).unlink()
    if check and (changed or stale):
        sys.exit(f"models differ from botocore {botocore.__version__}: {', '.join(changed + stale)}; run scripts/models.py")


def read_operations(path):
    operations = collections.defaultdict(list)
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        if len(line.split()) != 2:
            sys.exit(f'{path}: line {number}: expected "service Operation", got "{line}"')
        service, operation = line.split()
        if operation in operations[service]:
            sys.exit(f"{path}: line {number}: {service} {operation} is listed twice")
        operations[service].append(operation)
    return {service: sorted(names) for service, names in sorted(operations.items())}


def write(path, model, check):
    """Return whether the file's text changes. One shape or operation per line keeps diffs readable."""
    text = render(model) + "\n"
    if path.exists() and path.read_text() == text:
        return False
    if not check:
        path.write_text(text)
    return True


def render(value, depth=0):
    if depth < 2 and isinstance(value, dict) and value:
        indent = " " * (depth + 1)
        inner = ",\n".join(f"{indent}{json.dumps(key)}: {render(member, depth + 1)}" for key, member in value.items())
        return "{\n" + inner + "\n" + " " * depth + "}"
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True)


def load(service, kind):
    """Read one of botocore's model files, with the extras that botocore merges into it."""
    folder = max((DATA / service).iterdir(), key=lambda path: path.name)
    model = {}
    for name in (f"{kind}.json", f"{kind}.json.gz"):
        path = folder / name
        if path.exists():
            model = json.loads(gzip.decompress(path.read_bytes()) if name.endswith("gz") else path.read_bytes())
    extras = folder / f"{kind}.sdk-extras.json"
    if extras.exists():
        merge(model, json.loads(extras.read_text()).get("merge", {}))
    return model


def merge(into, extra):
    for key, value in extra.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value


def service_model(service, names):
    api = load(service, "service-2")
    pagination = load(service, "paginators-1").get("pagination", {})
    metadata = api["metadata"]
    offered = metadata.get("protocols") or [metadata["protocol"]]
    spoken = [protocol for protocol in PROTOCOLS if protocol in offered]
    if not spoken:
        sys.exit(f"{service}: speaks {offered}, none of which collect speaks")
    shapes = Shapes(service, api["shapes"])
    operations = {}
    for name in names:
        if name not in api["operations"]:
            close = [known for known in api["operations"] if known.lower() == name.lower()]
            sys.exit(f"{service}: botocore {botocore.__version__} knows no operation {name} {close or ''}")
        pages = PAGINATION.get((service, name)) or pagination.get(name)
        operations[name] = operation(service, metadata, spoken[0], api["operations"][name], pages, shapes)
    model = dict(SOURCE)
    model.update(
        service=service,
        serviceId=metadata["serviceId"],
        protocol=spoken[0],
        apiVersion=metadata["apiVersion"],
        signingName=metadata.get("signingName", metadata["endpointPrefix"]),
        endpointPrefix=metadata["endpointPrefix"],
    )
    if spoken[0] == "json":
        model.update({key: metadata[key] for key in ("jsonVersion", "targetPrefix")})
    if "awsQueryCompatible" in metadata and spoken[0] == "json":
        model["queryCompatible"] = True
    model["operations"] = operations
    model["shapes"] = dict(sorted(shapes.kept.items()))
    return model


def operation(service, metadata, protocol, api, pages, shapes):
    refuse_what_collect_does_not_write_or_read(service, protocol, api, shapes.shapes)
    http = api.get("http", {})
    model = {"method": http.get("method", "POST"), "uri": http.get("requestUri", "/")}
    for role in ("input", "output"):
        if role in api:
            model[role] = shapes.keep(api[role]["shape"])
    if "resultWrapper" in api.get("output", {}):
        model["resultWrapper"] = api["output"]["resultWrapper"]
    if "hostPrefix" in api.get("endpoint", {}):
        model["hostPrefix"] = api["endpoint"]["hostPrefix"]
    if pages:
        model["pagination"] = paging(service, api["name"], pages)
    signing = metadata.get("signingName", metadata["endpointPrefix"])
    prefix = IAM_PREFIX.get(service, signing)
    model["iamAction"] = IAM_ACTIONS.get((service, api["name"]), f"{prefix}:{api['name']}")
    if signing == "apigateway":
        # API Gateway's actions are the methods of HTTP.
        model["iamAction"] = f"apigateway:{model['method']}"
    return model


def refuse_what_collect_does_not_write_or_read(service, protocol, api, shapes):
    """Reading operations need little of what the protocols offer; stop when a new one needs more."""
    places = {"input": {"uri", "querystring", "header"}, "output": {"header"}}
    if not protocol.startswith("rest"):
        places = {"input": set(), "output": set()}
    for role, known in places.items():
        structure = shapes[api[role]["shape"]] if role in api else {}
        for name, reference in structure.get("members", {}).items():
            merged = {**shapes[reference["shape"]], **reference}
            place = merged.get("location")
            if place is not None and place not in known:
                sys.exit(f"{service} {api['name']}: {role} member {name} is in {place}, which collect does not know")
            if protocol == "rest-xml" and role == "input" and place is None:
                sys.exit(f"{service} {api['name']}: needs an XML request body, which collect does not write")
            if merged.get("jsonvalue") or merged.get("eventstream") or merged.get("streaming"):
                sys.exit(f"{service} {api['name']}: {role} member {name} is JSON in a header or a stream")


def paging(service, name, pages):
    names = {
        "inputTokens": pages["input_token"],
        "outputTokens": pages["output_token"],
        "resultKeys": pages["result_key"],
        "otherKeys": pages.get("non_aggregate_keys", []),
        "moreResults": pages.get("more_results", []),
    }
    model = {}
    for key, value in names.items():
        value = value if isinstance(value, list) else [value]
        for path in value:
            if not re.fullmatch(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*", path):
                sys.exit(f"{service} {name}: {key} {path!r} is more than a dotted path, which collect does not read")
        if value:
            model[key] = value
    if "limit_key" in pages:
        model["limitKey"] = pages["limit_key"]
    return model


class Shapes:
    """The shapes that operations reach, with the traits of a shape moved to the members that use it."""

    TRAITS = {
        "locationName": "name",
        "queryName": "queryName",
        "location": "location",
        "flattened": "flattened",
        "timestampFormat": "timestampFormat",
        "xmlAttribute": "xmlAttribute",
    }

    def __init__(self, service, shapes):
        self.service = service
        self.shapes = shapes
        self.kept = {}

    def keep(self, name):
        """Keep a shape and all it reaches; return the name or type by which a member refers to it."""
        shape = self.shapes[name]
        if shape.get("document"):
            return "document"
        if shape["type"] in SCALARS:
            if self.service == "iam" and name == "policyDocumentType":
                return "policyDocument"
            return shape["type"]
        if name in SCALARS | SPECIAL:
            sys.exit(f"{self.service}: shape {name} has the name of a type")
        if name not in self.kept:
            # Reserve the name first: shapes may contain themselves.
            kept = self.kept[name] = {"type": shape["type"]}
            if shape["type"] == "structure":
                self.keep_structure(kept, shape)
            elif shape["type"] == "list":
                kept["member"] = self.member(shape["member"])
            elif shape["type"] == "map":
                kept["key"] = self.member(shape["key"])
                kept["value"] = self.member(shape["value"])
            else:
                sys.exit(f"{self.service}: shape {name} is of unknown type {shape['type']}")
        return name

    def keep_structure(self, kept, shape):
        for key in ("required", "payload", "union"):
            if shape.get(key):
                kept[key] = shape[key]
        if "eventstream" in shape:
            sys.exit(f"{self.service}: event streams are not read by collect")
        kept["members"] = {name: self.member(reference) for name, reference in shape.get("members", {}).items()}

    def member(self, reference):
        merged = {**self.shapes[reference["shape"]], **reference}
        traits = {ours: merged[theirs] for theirs, ours in self.TRAITS.items() if merged.get(theirs) not in (None, False)}
        if self.service == "route53" and reference["shape"] in ROUTE53_IDS:
            traits["lastSegment"] = True
        target = self.keep(reference["shape"])
        return {"shape": target, **traits} if traits else target


def endpoints(operations):
    facts = json.loads((DATA / "endpoints.json").read_text())
    rules = json.loads((DATA / "partitions.json").read_text())
    ids = {partition["id"]: partition for partition in rules["partitions"]}
    partitions = {}
    for partition in facts["partitions"]:
        name = partition["partition"]
        if name in PARTITIONS:
            pattern = ids[name]["regionRegex"].replace("\\", "")
            prefix = re.match(r"\^([a-z-]+-|[a-z]+-)(?=w\+|\()", pattern)
            partitions[name] = {
                "mainRegion": ids[name]["outputs"]["implicitGlobalRegion"],
                "dnsSuffix": ids[name]["outputs"]["dnsSuffix"],
                # The partition of a region that is not in the list follows from its prefix; the first partition
                # takes what no other claims.
                "regionPrefix": prefix.group(1) if prefix else "",
                "regions": sorted(partition["regions"]),
            }
    services = {}
    for service in operations:
        services[service] = service_endpoints(service, facts, rules, partitions)
    return {**SOURCE, "partitions": partitions, "services": services}


def service_endpoints(service, facts, rules, partitions):
    metadata = load(service, "service-2")["metadata"]
    provider = EndpointProvider(load(service, "endpoint-rule-set-1"), rules)
    known = {partition["partition"]: partition["services"].get(metadata["endpointPrefix"]) for partition in facts["partitions"]}
    offered = {}
    hosts = {}
    for name, partition in partitions.items():
        entry = known[name]
        if entry is not None:
            regions = [region for region in partition["regions"] if region in entry["endpoints"]]
            one_place = not entry.get("isRegionalized", True)
            if one_place and not regions:
                regions = [partition["mainRegion"]]
            offered[name] = "all" if regions == partition["regions"] else regions
        hosts[name] = partition_hosts(provider, service, partition)
    aws = known["aws"] or {}
    return {
        # A service that lives in the main region alone is as global as one with a single endpoint.
        "global": not aws.get("isRegionalized", True) or offered.get("aws") == [partitions["aws"]["mainRegion"]],
        "regions": offered,
        "hosts": hosts,
    }


def partition_hosts(provider, service, partition):
    """Per variant: the host pattern most regions share, and the regions that differ, as [host, signing region]."""
    variants = {}
    for variant, fips, dualstack in VARIANTS:
        found = {region: resolve(provider, service, region, fips, dualstack) for region in partition["regions"]}
        found = {region: endpoint for region, endpoint in found.items() if endpoint is not None}
        if not found:
            continue
        # A global service has one host for all regions, a regional one a pattern: the more frequent is the rule.
        patterns = {region: tuple(part.replace(region, "{region}") for part in endpoint) for region, endpoint in found.items()}
        (host, signing), _ = collections.Counter([*patterns.values(), *found.values()]).most_common(1)[0]
        variants[variant] = {"host": host, "signingRegion": signing}
        differing = {region: list(endpoint) for region, endpoint in found.items() if (host, signing) not in (endpoint, patterns[region])}
        if differing:
            variants[variant]["except"] = differing
    return variants


def resolve(provider, service, region, fips, dualstack):
    parameters = {"Region": region, "UseFIPS": fips, "UseDualStack": dualstack}
    try:
        endpoint = provider.resolve_endpoint(**parameters)
    except Exception as problem:  # The rules refuse combinations that AWS does not offer.
        if "not" in str(problem) or "No endpoint" in str(problem):
            return None
        raise
    host = endpoint.url.removeprefix("https://")
    if "/" in host:
        sys.exit(f"{service}: endpoint {endpoint.url} has a path, which collect does not expect")
    schemes = [scheme for scheme in endpoint.properties.get("authSchemes", []) if scheme["name"] == "sigv4"]
    return host, (schemes[0].get("signingRegion", region) if schemes else region)


if __name__ == "__main__":
    main()
