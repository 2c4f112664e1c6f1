"""Events in the shape in which CloudTrail delivers them.

Whatever looks random in an event is a hash of what the event says: a new event among others doesn't change them.
"""

import dataclasses
import datetime
import hashlib
import re

from .recording import ACCOUNT_ID, GLOBAL_REGION, MAIN_REGION

SEED = "2026-11-16"
# Services whose calls are told in us-east-1 wherever they are made from, under a host name without a region.
GLOBAL_SERVICES = ("iam", "route53", "cloudfront", "organizations", "support")
READING = re.compile(r"(Describe|List|Get|Lookup|Head|BatchGet|Search|Estimate|Select|AssumeRole|Decrypt|GenerateDataKey)")


def digest(*parts):
    return hashlib.sha256("|".join(map(str, (SEED, *parts))).encode()).hexdigest()


def uuid(*parts):
    text = digest(*parts)
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:32]}"


def key_id(prefix, *parts):
    """An access key's id that no scanner for secrets takes for one."""
    return prefix + digest(*parts)[:9].upper().translate(str.maketrans("0189", "GHJK")) + "EXAMPLE"


def resource_id(kind, *parts):
    return f"{kind}-{digest(kind, *parts)[:17]}"


def moment(text):
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc)


def stamp(when):
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def spoken(when, separator=""):
    """A time as IAM answers it, and with a comma as STS does."""
    hour = when.hour % 12 or 12
    return f"{when:%b} {when.day}, {when.year}{separator} {hour}:{when:%M:%S %p}"


@dataclasses.dataclass(frozen=True)
class Caller:
    """Who calls, from where, with what."""

    identity: dict
    address: str
    agent: str
    console: bool = False
    endpoint: str | None = None
    invoked_by: str | None = None

    def at(self, address, agent=None):
        return dataclasses.replace(self, address=address, agent=agent or self.agent)


class Log:
    """The events of the year, in the order in which they were thought of."""

    def __init__(self):
        self.events = []
        self._seen = {}

    def call(self, caller, when, service, name, request=None, response=None, region=None, error=None, message=None, **more):
        """One call of an API; `more` are further members of the event."""
        region = GLOBAL_REGION if service in GLOBAL_SERVICES else region or MAIN_REGION
        host = service if "." in service else f"{service}.amazonaws.com"
        event = {
            "eventVersion": "1.11",
            "userIdentity": caller.identity | ({"invokedBy": caller.invoked_by} if caller.invoked_by else {}),
            "eventTime": stamp(when),
            "eventSource": host,
            "eventName": name,
            "awsRegion": region,
            "sourceIPAddress": caller.address,
            "userAgent": caller.agent,
        }
        if error:
            event |= {"errorCode": error, "errorMessage": message or error}
        event |= {
            "requestParameters": request,
            "responseElements": None if error else response,
            **self._ids(event, request),
            "readOnly": bool(READING.match(name)),
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": ACCOUNT_ID,
            "eventCategory": "Management",
        }
        if not caller.invoked_by and caller.identity["type"] != "AWSService":
            endpoint = f"{service}.amazonaws.com" if service in GLOBAL_SERVICES else f"{service}.{region}.amazonaws.com"
            event["tlsDetails"] = {
                "tlsVersion": "TLSv1.3",
                "cipherSuite": "TLS_AES_128_GCM_SHA256",
                "clientProvidedHostHeader": endpoint,
            }
        if caller.console:
            event["sessionCredentialFromConsole"] = "true"
        if caller.endpoint:
            event |= {"vpcEndpointId": caller.endpoint, "vpcEndpointAccountId": ACCOUNT_ID}
        event |= more
        self.events.append(event)
        return event

    def service_event(self, when, service, name, details=None, region=MAIN_REGION, **more):
        """What a service tells of its own accord."""
        host = f"{service}.amazonaws.com"
        caller = Caller({"accountId": ACCOUNT_ID, "invokedBy": host}, host, host)
        details = {"serviceEventDetails": details} if details else {}
        return self._tell(caller, when, host, name, "AwsServiceEvent", region, **details, **more)

    def sign_in(self, caller, when, name, region, **more):
        """What the sign-in pages tell."""
        return self._tell(caller, when, "signin.amazonaws.com", name, "AwsConsoleSignIn", region, **more)

    def _tell(self, caller, when, source, name, kind, region, **more):
        event = {
            "eventVersion": "1.11",
            "userIdentity": caller.identity,
            "eventTime": stamp(when),
            "eventSource": source,
            "eventName": name,
            "awsRegion": region,
            "sourceIPAddress": caller.address,
            "userAgent": caller.agent,
            "requestParameters": None,
            "responseElements": None,
        }
        event |= {
            "eventID": self._ids(event, more)["eventID"],
            "readOnly": False,
            "eventType": kind,
            "managementEvent": True,
            "recipientAccountId": ACCOUNT_ID,
            "eventCategory": "Management",
        }
        event |= more
        self.events.append(event)
        return event

    def _ids(self, event, request):
        """The ids of request and event; what was asked several times within a second is numbered."""
        same = (event["eventTime"], event["eventSource"], event["eventName"], event["userIdentity"].get("arn"), request)
        number = self._seen[repr(same)] = self._seen.get(repr(same), 0) + 1
        return {"requestID": uuid("request", number, *same), "eventID": uuid("event", number, *same)}
