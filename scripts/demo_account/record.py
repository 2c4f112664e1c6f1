"""Writes what the AWS CLI would print for every call, one file each.

Invariants: no answer depends on the clock or on the machine's time zone; every answer, corrected or written by hand, has only
members that botocore's model of the operation knows; files of an earlier run are gone.
"""

import base64
import datetime
import json
import re
import shutil
import sys
import urllib.parse

import botocore
import botocore.exceptions
import jmespath

from . import calls, faults
from .shop import ACCOUNT_ID, GLOBAL_REGION, RECORDED_AT, REGIONS


def write(shop, out, tables):
    """Records into `out`/recording and returns the number of files."""
    recording, unfinished = out / "recording", out / "recording.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    recorder = Recorder(shop, unfinished)
    for listing in calls.from_tables(tables) + calls.OWN:
        recorder.listing(listing)
    recorder.unused()
    header = {"recorded_at": RECORDED_AT, "accounts": [{"account_id": ACCOUNT_ID, "regions": list(REGIONS)}]}
    recorder.store(unfinished / "recording.json", header)
    shutil.rmtree(recording, ignore_errors=True)
    unfinished.rename(recording)
    faults.write(shop, out, recorder.made)
    return recorder.files


class Recorder:
    def __init__(self, shop, folder):
        self.shop = shop
        self.folder = folder
        self.files = 0
        # (region, service, operation, parameter) -> answer; several tables may name the same call.
        self.made = {}
        # Values of batched calls: the file holds the answers for all of them.
        self.batched = {}
        # (listing's name, region) -> rows with their details, for the tables that hang below.
        self.rows = {}

    def listing(self, listing):
        for region in (GLOBAL_REGION,) if listing.scope == "global" else REGIONS:
            rows = []
            if listing.parent:
                for parent in self.rows.get((listing.parent, region), []):
                    bound = self.bind(listing.bind, parent, region)
                    if bound is None:
                        continue
                    answer = self.call(
                        region, listing.service, listing.operation, {**listing.params, **bound}, first(bound)
                    )
                    rows += [with_parent(row, parent) for row in self.rows_of(listing.rows, answer)]
            else:
                bound = self.bind(listing.bind, {}, region)
                parameter = first(bound) if bound else None
                answer = self.call(region, listing.service, listing.operation, {**listing.params, **bound}, parameter)
                rows = self.rows_of(listing.rows, answer)
            for detail in listing.details:
                self.detail(region, listing.service, detail, rows)
            self.rows[(listing.name, region)] = rows

    def rows_of(self, expression, answer):
        if "Error" in answer:
            return []
        rows = jmespath.search(expression, answer)
        rows = rows if isinstance(rows, list) else [rows]
        return [row if isinstance(row, dict) else {"Value": row, "value": row} for row in rows if row is not None]

    def detail(self, region, service, detail, rows):
        wanted = [row for row in rows if not detail.when or jmespath.search(detail.when, row)]
        if not detail.bind:
            answer = self.call(region, service, detail.operation, detail.params)
            for row in wanted if detail.into and "Error" not in answer else []:
                row[detail.into] = answer
            return
        if detail.batch:
            values = [value for row in wanted if (value := bound_value(detail.bind[detail.batch], row, region))]
            self.batch(region, service, detail, values)
            return
        for row in wanted:
            bound = self.bind(detail.bind, row, region)
            if bound is None:
                continue
            answer = self.call(region, service, detail.operation, {**detail.params, **bound}, first(bound))
            if answer.get("Error", {}).get("Code") in detail.absent.get("codes", []):
                answer = detail.absent["answer"]
            if detail.into and "Error" not in answer:
                row[detail.into] = answer

    def bind(self, expressions, row, region):
        bound = {parameter: bound_value(expression, row, region) for parameter, expression in expressions.items()}
        return None if any(value in (None, [None], []) for value in bound.values()) else bound

    def batch(self, region, service, detail, values):
        seen = self.batched.setdefault((region, service, detail.operation), [])
        seen += [value for value in values if value not in seen]
        merged = {}
        for start in range(0, len(seen), detail.batch_size):
            chunk = seen[start : start + detail.batch_size]
            answer = self.ask(region, service, detail.operation, {**detail.params, detail.batch: chunk}, None)
            for member, content in answer.items():
                merged[member] = merged.get(member, []) + content if isinstance(content, list) else content
        if merged:
            self.keep(region, service, detail.operation, None, merged)

    def call(self, region, service, operation, params, parameter=None):
        key = (region, service, operation, parameter)
        if key not in self.made:
            answer = self.ask(region, service, operation, params, parameter)
            self.keep(region, service, operation, parameter, answer)
        return self.made[key]

    def keep(self, region, service, operation, parameter, answer):
        self.made[(region, service, operation, parameter)] = answer
        name = f"{service}-{botocore.xform_name(operation, '-')}"
        path = self.folder / region
        if parameter is None:
            path = path / f"{name}.json"
        else:
            path = (
                path
                / name
                / (urllib.parse.quote(self.shop.rewrite(str(parameter)), safe="_.-").replace("~", "%7E") + ".json")
            )
        self.store(path, answer)

    def ask(self, region, service, operation, params, parameter):
        client = self.shop.client(service, region)
        model = client.meta.service_model.operation_model(operation)
        key = (region, service, operation, parameter)
        if key in self.shop.answers:
            answer = self.shop.answers[key]
            self.shop.used.add(key)
        else:
            try:
                answer = emulated(client, operation, params)
            except botocore.exceptions.ClientError as error:
                answer = {"Error": {name: error.response["Error"][name] for name in ("Code", "Message")}}
                if answer["Error"]["Message"] == "Not yet implemented":
                    answer = self.not_emulated(service, operation)
            except NotImplementedError:
                answer = self.not_emulated(service, operation)
            except botocore.exceptions.ParamValidationError as error:
                print(f"warning: {service} {operation} {params}: {str(error).splitlines()[-1]}", file=sys.stderr)
                answer = {"Error": {"Code": "ValidationException", "Message": "not recorded"}}
        correction = self.shop.corrections.get((service, operation))
        if correction and "Error" not in answer:
            answer = correction(self.shop, region, parameter, answer)
        if "Error" not in answer:
            check(model.output_shape, answer, f"{service} {operation}")
        return answer

    def not_emulated(self, service, operation):
        """What an account that doesn't use the feature answers."""
        if (service, operation) not in self.shop.nothing:
            print(
                f"warning: the emulator doesn't know {service} {operation}, and the script has no answer",
                file=sys.stderr,
            )
            return {"Error": {"Code": "InternalFailure", "Message": "not recorded"}}
        return self.shop.nothing[(service, operation)]

    def unused(self):
        """An answer that no call asks for is a mistake in this script."""
        for key in self.shop.answers.keys() - self.shop.used:
            print(f"warning: written by hand, but never asked for: {key}", file=sys.stderr)

    def store(self, path, answer):
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(answer, indent=2, ensure_ascii=False, default=cli_value)
        if not path.exists():
            self.files += 1
        path.write_text(self.shop.rewrite(text) + "\n")


def first(bound):
    """What names the file: the first bound value, of a list its elements with commas between them."""
    value = next(iter(bound.values()))
    return ",".join(value) if isinstance(value, list) else value


def bound_value(expression, row, region):
    """The value of a bind: a bare expression, or a text with `{expression}` or `{expression|basename}` in it."""
    # A multi-select hash of JMESPath has a colon within its braces, a template hasn't.
    if not re.search(r"\{[^{}:]+\}", expression):
        return jmespath.search(expression, row)
    own = {"partition": "aws", "region": region, "account": ACCOUNT_ID}

    def part(match):
        inner, _, function = match[1].partition("|")
        value = own.get(inner) or jmespath.search(inner, row)
        return value.rsplit("/", 1)[-1] if function == "basename" else value

    return re.sub(r"\{([^{}]+)\}", part, expression)


def with_parent(row, parent):
    return {**row, "Parent": parent}


def emulated(client, operation, params):
    """The emulator's answer, all pages merged as the AWS CLI merges them."""
    if client.meta.service_model.service_name == "route53":
        # The API takes the bare id, while its own answers and so the tables speak of /hostedzone/<id>.
        params = {
            name: value.removeprefix("/hostedzone/") if isinstance(value, str) else value
            for name, value in params.items()
        }
    method = botocore.xform_name(operation)
    if client.can_paginate(method):
        # Page sizes in a table's constants are the caller's business, not the answer's.
        sizes = {client.get_paginator(method)._pagination_cfg.get("limit_key")}
        params = {name: value for name, value in params.items() if name not in sizes}
        answer = client.get_paginator(method).paginate(**params).build_full_result()
    else:
        answer = getattr(client, method)(**params)
    answer.pop("ResponseMetadata", None)
    return answer


def cli_value(value):
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"cannot print {type(value)}")


# What AWS answers although its model doesn't list it.
BEYOND_THE_MODEL = {("ec2 DescribeInternetGateways.InternetGateways[].Attachments[].State", "available")}


def folded(value):
    return value.lower().replace("_", "").replace("-", "")


def check(shape, value, where):
    """Refuses members and values that the model doesn't have, and texts where it has numbers: mistakes of answers written by hand."""
    if shape is None or value is None:
        return
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        for member, content in value.items():
            if member not in shape.members:
                raise ValueError(f"{where}: no member {member}")
            check(shape.members[member], content, f"{where}.{member}")
    elif kind == "list" and isinstance(value, list):
        for content in value:
            check(shape.member, content, f"{where}[]")
    elif kind == "map" and isinstance(value, dict):
        for content in value.values():
            check(shape.value, content, f"{where}{{}}")
    elif kind in ("list", "map") or (kind == "structure" and not isinstance(value, dict)):
        raise ValueError(f"{where}: expected {kind}, got {value!r}")
    elif kind in ("integer", "long") and (isinstance(value, bool) or not isinstance(value, int)):
        raise ValueError(f"{where}: expected {kind}, got {value!r}")
    elif kind in ("float", "double") and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise ValueError(f"{where}: expected {kind}, got {value!r}")
    elif kind == "boolean" and not isinstance(value, bool):
        raise ValueError(f"{where}: expected {kind}, got {value!r}")
    elif kind == "string" and shape.name != "policyDocumentType" and not isinstance(value, str):
        raise ValueError(f"{where}: expected {kind}, got {value!r}")
    elif kind == "string" and shape.enum and (where, value) not in BEYOND_THE_MODEL:
        # Services don't always write their values as their models do: SOURCE for source, nat_gateway for natGateway.
        if folded(value) not in map(folded, shape.enum):
            raise ValueError(f"{where}: {value!r} is none of {', '.join(shape.enum)}")
    elif kind == "timestamp" and isinstance(value, str):
        datetime.datetime.fromisoformat(value)
