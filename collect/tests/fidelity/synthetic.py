"""Make responses for every operation in operations.txt and write down what boto3 reads in them.

    synthetic.py OPERATIONS MODELS OUT

For each operation the botocore model says which answers are possible. Three kinds are made: full (each member set,
with values that are hard to read), hollow (each member empty) and bare (each member absent), and a pair of pages
where the operation has pages. boto3 is given them instead of a network. OUT gets, per case: the parameters, the
requests boto3 made, the responses, and boto3's result, as JSON.
"""

import base64
import datetime
import functools
import json
import pathlib
import sys
import urllib.parse
from xml.sax.saxutils import escape, quoteattr

import boto3
import botocore.awsrequest
import botocore.config

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "scripts"))
from models import PAGINATION  # noqa: E402

# Quotes, markup, white space at the ends, characters outside the basic plane, a writing direction, a separator.
HARD = " a<b>&\"c\" 'd' \u00e9\U0001f600 \u202ex\u2028y "
UTC = datetime.timezone.utc
XSI = "http://www.w3.org/2001/XMLSchema-instance"


def main(operations, models, out):
    cases = []
    for line in pathlib.Path(operations).read_text().splitlines():
        if line and not line.startswith("#"):
            service, operation = line.split()
            protocol = json.loads((pathlib.Path(models) / f"{service}.json").read_text())["protocol"]
            cases += operation_cases(service, operation, protocol)
    pathlib.Path(out).write_text(json.dumps(cases))


def operation_cases(service, operation, protocol):
    client = client_of(service, protocol)
    model = client.meta.service_model.operation_model(operation)
    pagination = paginator_of(client, operation)
    params = Values("full").params(model, pagination)
    for kind in ("full", "hollow", "bare", "pages"):
        if kind == "pages" and not pagination:
            continue
        pages = [Values("full", seed).make(model.output_shape) for seed in ((1, 100) if kind == "pages" else (1,))]
        if kind != "pages":
            pages = [Values(kind).make(model.output_shape)]
        set_tokens(pages, pagination, model.input_shape)
        responses = [Wire(protocol, model, kind).response(page) for page in pages]
        asked = params if kind in ("full", "pages") else required(model, params)
        result, requests = run(client, operation, asked, bool(pagination), responses)
        yield {
            "service": service,
            "operation": operation,
            "kind": kind,
            "params": plain(asked),
            "requests": requests,
            "responses": responses,
            "result": result,
        }


@functools.cache
def client_of(service, protocol, endpoint="http://127.0.0.1:9"):
    """A client that speaks the protocol that collect speaks, without retries."""
    session = boto3.Session(aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="secret", region_name="eu-west-1")
    loader = session._loader
    load = loader.load_service_model

    def load_one_protocol(name, kind, *rest, **named):
        model = load(name, kind, *rest, **named)
        if kind == "service-2" and name == service:
            model["metadata"].update(protocol=protocol, protocols=[protocol])
        if kind == "paginators-1":
            ours = {operation: pages for (service, operation), pages in PAGINATION.items() if service == name}
            model["pagination"].update(ours)
        return model

    loader.load_service_model = load_one_protocol
    config = botocore.config.Config(retries={"max_attempts": 0}, disable_request_compression=True)
    return session.client(service, endpoint_url=endpoint, config=config)


def paginator_of(client, operation):
    """The paginator's configuration, or None."""
    method = next(name for name, known in client._PY_TO_OP_NAME.items() if known == operation)
    if not client.can_paginate(method):
        return None
    return client._cache["page_config"][operation]


def run(client, operation, params, paged, responses):
    """Call boto3 with canned responses; return the result and the requests."""
    method = next(name for name, known in client._PY_TO_OP_NAME.items() if known == operation)
    waiting, requests = list(responses), []

    def answer(request, **_):
        requests.append(describe(request))
        response = waiting.pop(0)
        body = base64.b64decode(response["body"])
        return botocore.awsrequest.AWSResponse(request.url, response["status"], headers(response), Raw(body))

    client.meta.events.register("before-send", answer, unique_id="canned")
    try:
        if paged:
            result = client.get_paginator(method).paginate(**params).build_full_result()
        else:
            result = getattr(client, method)(**params)
    finally:
        client.meta.events.unregister("before-send", unique_id="canned")
    assert not waiting, (operation, "asked for fewer pages than there are")
    result.pop("ResponseMetadata", None)
    return plain(result), requests


def headers(response):
    from botocore.compat import HTTPHeaders

    return HTTPHeaders.from_pairs(response["headers"])


class Raw:
    """The body as urllib3 would give it."""

    def __init__(self, body):
        self.body = body

    def stream(self, *_, **__):
        yield self.body


def describe(request):
    url = urllib.parse.urlsplit(request.url)
    body = request.body or b""
    body = body.decode() if isinstance(body, bytes) else body
    return {
        "method": request.method,
        "path": url.path,
        "query": url.query,
        "body": body,
        "headers": {name.lower(): text(value) for name, value in request.headers.items()},
    }


def text(value):
    return value.decode() if isinstance(value, bytes) else value


def plain(value):
    """What the AWS CLI prints: times in ISO 8601 (here in UTC), bytes in base64."""
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(member) for member in value]
    if isinstance(value, datetime.datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def required(model, params):
    names = model.input_shape.required_members if model.input_shape else []
    return {name: params[name] for name in names if name in params}


def paths(value):
    return value if isinstance(value, list) else [value] if value else []


def set_tokens(pages, pagination, input_shape):
    """Tokens on every page but the last, each one that the operation accepts back."""
    if not pagination:
        return
    for number, page in enumerate(pages):
        last = number == len(pages) - 1
        for path in paths(pagination.get("more_results")):
            put(page, path, not last)
        for path, name in zip(paths(pagination["output_token"]), paths(pagination["input_token"])):
            put(page, path, None if last else Values("full", number).param(name, input_shape.members[name]))


def put(page, path, value):
    *parents, name = path.split(".")
    for parent in parents:
        if not isinstance(page.get(parent), dict):
            return
        page = page[parent]
    if value is None:
        page.pop(name, None)
    else:
        page[name] = value


class Values:
    """Values for a shape, in boto3's form."""

    def __init__(self, kind, seed=1):
        self.kind = kind
        self.count = seed

    def make(self, shape, inside=()):
        if shape is None:
            return {}
        made = self.shape(shape, inside)
        return made if made is not None else {}

    def shape(self, shape, inside=()):
        self.count += 1
        kind = shape.type_name
        if kind == "structure":
            return self.structure(shape, inside)
        if kind == "list":
            if inside.count(shape.name) > 1 or self.kind == "hollow":
                return []
            return [self.shape(shape.member, (*inside, shape.name)) for _ in range(2)]
        if kind == "map":
            if inside.count(shape.name) > 1 or self.kind == "hollow":
                return {}
            return {f"{HARD}{n}": self.shape(shape.value, (*inside, shape.name)) for n in range(2)}
        return self.scalar(shape, kind)

    def structure(self, shape, inside):
        if inside.count(shape.name) > 1:
            return {}
        if self.kind == "bare":
            return {}
        if getattr(shape, "is_document_type", False):
            return {"any": [1, "x", None, {"b": True}]}
        members = list(shape.members.items())
        if shape.is_tagged_union:
            members = members[:1]
        return {name: self.shape(member, (*inside, shape.name)) for name, member in members}

    def scalar(self, shape, kind):
        if kind == "string":
            if shape.name == "policyDocumentType":
                return {"Version": "2012-10-17", "Statement": [{"Sid": HARD, "Resource": f"a+b%20{self.count}"}]}
            return "" if self.kind == "hollow" else f"{HARD}{self.count}"
        if kind == "timestamp":
            fraction = (0, 120000, 123456)[self.count % 3]
            return datetime.datetime(2026, 11, 23, 6, self.count % 60, 0, fraction, UTC)
        if kind == "blob":
            return b"" if self.kind == "hollow" else f"{HARD}{self.count}".encode()
        return {"integer": self.count, "long": 2**40 + self.count, "boolean": self.count % 2 == 0}.get(kind, self.count + 0.25)

    def params(self, model, pagination):
        """Parameters that set every input member but the page tokens."""
        if model.input_shape is None:
            return {}
        tokens = paths(pagination["input_token"]) if pagination else []
        members = model.input_shape.members.items()
        return {name: self.param(name, shape) for name, shape in members if name not in tokens}

    def param(self, name, shape):
        self.count += 1
        kind = shape.type_name
        if kind == "structure":
            members = list(shape.members.items())[: 1 if shape.is_tagged_union else None]
            return {key: self.param(key, member) for key, member in members}
        if kind == "list":
            many = min(2, shape.metadata.get("max", 2))
            return [self.param(name, shape.member) for _ in range(many)]
        if kind == "map":
            return {f"key {n}": self.param(name, shape.value) for n in range(2)}
        if kind == "string":
            if name in ("Bucket", "AccountId", "ExpectedBucketOwner"):
                return {"Bucket": "a-bucket"}.get(name, "111122223333")
            if name.lower().endswith("arn"):
                return f"arn:aws:service:eu-west-1:111122223333:type/a name/{self.count}"
            longest = shape.metadata.get("max", 60)
            return f"/hostedzone/Z{self.count}/ \u00e9&+~%".ljust(shape.metadata.get("min", 0), "x")[-longest:]
        if kind in ("integer", "long"):
            lowest = shape.metadata.get("min", 1)
            return min(max(lowest, self.count), shape.metadata.get("max", 1000))
        return self.scalar(shape, kind)


class Wire:
    """Values as the service would write them."""

    def __init__(self, protocol, model, kind):
        self.protocol = protocol
        self.model = model
        self.kind = kind

    def response(self, value):
        shape = self.model.output_shape
        sent = [["x-amzn-RequestId", "r"], ["Date", "Mon, 23 Nov 2026 06:00:00 GMT"]]
        body = b""
        if shape is not None:
            for name, member in shape.members.items():
                if member.serialization.get("location") == "header" and name in value:
                    # Headers cannot carry what a body can.
                    value[name] = value[name].strip().encode("ascii", "ignore").decode()
                    sent.append([member.serialization.get("name", name), value[name]])
            body = (self.json_body if "json" in self.protocol else self.xml_body)(shape, value).encode()
        return {"status": 200, "headers": sent, "body": base64.b64encode(body).decode()}

    def body_shape(self, shape, value):
        payload = shape.serialization.get("payload")
        return (shape.members[payload], value.get(payload)) if payload else (shape, value)

    def json_body(self, shape, value):
        shape, value = self.body_shape(shape, value)
        return "" if value is None else json.dumps(self.json(shape, value))

    def json(self, shape, value):
        kind = shape.type_name
        if kind == "structure" and not getattr(shape, "is_document_type", False):
            written = {}
            for name, member in shape.members.items():
                if member.serialization.get("location"):
                    continue
                if name in value:
                    written[member.serialization.get("name", name)] = self.json(member, value[name])
                elif self.kind == "bare" and not shape.is_tagged_union:
                    written[member.serialization.get("name", name)] = None
            if self.kind == "full" and not shape.is_tagged_union:
                written["NewerThanTheModel"] = {"a": [1]}
            return written
        if kind == "list":
            return [self.json(shape.member, element) for element in value]
        if kind == "map":
            return {key: self.json(shape.value, element) for key, element in value.items()}
        if kind == "timestamp":
            if shape.serialization.get("timestampFormat") == "iso8601":
                return value.isoformat().replace("+00:00", "Z")
            return value.timestamp()
        return base64.b64encode(value).decode() if kind == "blob" else value

    def xml_body(self, shape, value):
        name = self.model.name
        namespace = self.model.metadata.get("xmlNamespace", "urn:example")
        namespace = namespace if isinstance(namespace, str) else namespace["uri"]
        if self.protocol == "rest-xml":
            payload, value = self.body_shape(shape, value)
            if value is None:
                return ""
            if payload.type_name != "structure":
                return value
            if name == "GetBucketLocation":
                return f'<LocationConstraint xmlns="{namespace}">{value.get("LocationConstraint", "") and "eu-west-1"}</LocationConstraint>'
            return f'<?xml version="1.0" encoding="UTF-8"?>\n<{name}Result xmlns="{namespace}">{self.members(payload, value)}</{name}Result>'
        inner = self.members(shape, value)
        if wrapper := shape.serialization.get("resultWrapper"):
            inner = f"<{wrapper}>{inner}</{wrapper}><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>"
        return f'<{name}Response xmlns="{namespace}">\n  {inner}<requestId>r</requestId>\n</{name}Response>'

    def members(self, shape, value):
        parts = []
        for name, member in shape.members.items():
            traits = member.serialization
            if name in value and not traits.get("location") and not traits.get("xmlAttribute"):
                parts.append(self.xml(member, traits.get("name", name), value[name]))
        if self.kind == "full":
            parts.append("<newerThanTheModel><a>1</a></newerThanTheModel><!-- a comment -->\n")
        return "".join(parts)

    def attributes(self, shape, value):
        if shape.type_name != "structure":
            return ""
        found = ""
        for name, member in shape.members.items():
            if member.serialization.get("xmlAttribute") and name in value:
                found += f' xmlns:xsi="{XSI}" {member.serialization["name"]}={quoteattr(value[name])}'
        return found

    def xml(self, shape, tag, value):
        kind, flat = shape.type_name, shape.serialization.get("flattened")
        if kind == "structure":
            return f"<{tag}{self.attributes(shape, value)}>{self.members(shape, value)}</{tag}>"
        if kind == "list":
            inner = shape.member.serialization.get("name", tag if flat else "member")
            elements = "".join(self.xml(shape.member, inner, element) for element in value)
            return elements if flat else f"<{tag}>{elements}</{tag}>"
        if kind == "map":
            entry = tag if flat else "entry"
            key = shape.key.serialization.get("name", "key")
            inner = shape.value.serialization.get("name", "value")
            pairs = [f"<{key}>{escape(k)}</{key}>{self.xml(shape.value, inner, v)}" for k, v in value.items()]
            entries = "".join(f"<{entry}>{pair}</{entry}>" for pair in pairs)
            return entries if flat else f"<{tag}>{entries}</{tag}>"
        return f"<{tag}>{escape(self.xml_text(shape, value))}</{tag}>"

    def xml_text(self, shape, value):
        if isinstance(value, dict):
            return urllib.parse.quote(json.dumps(value))
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, datetime.datetime):
            return value.isoformat().replace("+00:00", "Z")
        return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


if __name__ == "__main__":
    main(*sys.argv[1:])
