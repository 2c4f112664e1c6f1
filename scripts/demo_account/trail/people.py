"""What people do in the console and with their keys, on working days between Lisbon and Berlin."""

import dataclasses

from . import recording
from .callers import CLI, console_login, switch_role, with_key
from .days import at, chance, days, is_holiday, later, months_in, works
from .events import key_id, moment

OFFICE = "203.0.113.{}"
CHROME = "Mozilla/5.0 ({}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36"
FIREFOX = "Mozilla/5.0 ({}; rv:{}.0) Gecko/20100101 Firefox/{}.0"
LINUX, MAC, WINDOWS = "X11; Linux x86_64", "Macintosh; Intel Mac OS X 10_15_7", "Windows NT 10.0; Win64; x64"


@dataclasses.dataclass(frozen=True)
class Person:
    """How somebody works: how often of ten days, the number of the network at home, with what, on what."""

    often: int
    home: int
    system: str
    browser: str
    subjects: tuple
    last: str
    office: int = 10
    mfa: bool = True


PEOPLE = {
    "anna": Person(7, 0x11, MAC, CHROME, ("dns", "machines", "trails", "users"), "2026-11-15T08:12:40"),
    "ben": Person(5, 0x12, LINUX, FIREFOX, ("machines", "functions", "logs"), "2026-11-13T09:20:11"),
    "chen": Person(5, 0x13, MAC, CHROME, ("databases", "keys", "logs"), "2026-11-12T10:01:54"),
    "dana": Person(3, 0x14, LINUX, CHROME, ("nothing",), "2026-11-14T07:45:30"),
    "olga": Person(3, 0x15, WINDOWS, CHROME, ("functions", "machines"), "2026-11-13T11:30:02", 74, mfa=False),
    "eva": Person(4, 0x16, LINUX, CHROME, ("tables", "functions", "machines"), "2026-11-10T13:15:27"),
    "finn": Person(2, 0x17, LINUX, CHROME, ("nothing",), "2026-11-12T06:40:00", 74),
    "gita": Person(6, 0x18, WINDOWS, CHROME, ("support",), "2026-11-13T08:05:00", 74),
    "hana": Person(6, 0x19, WINDOWS, CHROME, ("support",), "2026-11-13T08:15:00", 74),
    "ivo": Person(1, 0x1A, MAC, CHROME, ("denied",), "2026-11-11T09:30:00"),
}
ROOM = {"filterSet": {}, "maxResults": 1000}
# What somebody looks at: (service, operation, parameters).
SUBJECTS = {
    "dns": (
        ("route53", "ListHostedZones", {}),
        ("route53", "ListResourceRecordSets", {"hostedZoneId": recording.zone("shop.internal.")[0]}),
        ("route53", "GetHostedZoneCount", None),
    ),
    "machines": (
        ("ec2", "DescribeInstances", ROOM | {"instancesSet": {}}),
        ("ec2", "DescribeInstanceStatus", ROOM | {"includeAllInstances": True}),
        ("ec2", "DescribeSecurityGroups", ROOM | {"securityGroupSet": {}}),
        ("elasticloadbalancing", "DescribeTargetGroups", {}),
        ("elasticloadbalancing", "DescribeLoadBalancers", {"pageSize": 100}),
        ("autoscaling", "DescribeAutoScalingGroups", {"maxRecords": 50}),
    ),
    "trails": (
        ("cloudtrail", "LookupEvents", {"maxResults": 50}),
        ("cloudtrail", "DescribeTrails", {"includeShadowTrails": False}),
        ("monitoring", "DescribeAlarms", {"maxRecords": 100}),
    ),
    "users": (
        ("iam", "ListUsers", {"maxItems": 1000}),
        ("iam", "ListRoles", {"maxItems": 1000}),
        ("iam", "GetAccountSummary", None),
    ),
    "functions": (
        ("lambda", "ListFunctions20150331", {"maxItems": 50}),
        ("lambda", "GetFunction20150331v2", {"functionName": "f11_indexer_search"}),
        ("monitoring", "DescribeAlarms", {"maxRecords": 100}),
    ),
    "logs": (
        ("logs", "DescribeLogGroups", {"limit": 50}),
        ("logs", "DescribeLogStreams", {"logGroupName": "/ecs/shipping", "orderBy": "LastEventTime"}),
        ("logs", "FilterLogEvents", {"logGroupName": "/ecs/shipping"}),
    ),
    "databases": (
        ("rds", "DescribeDBInstances", {"maxRecords": 100}),
        ("rds", "DescribeDBSnapshots", {"dBInstanceIdentifier": "d21-ledger-payments"}),
        ("rds", "DescribeDBClusters", {"maxRecords": 100}),
    ),
    "keys": (("kms", "ListAliases", {"limit": 100}), ("kms", "ListKeys", {"limit": 100})),
    "tables": (
        ("dynamodb", "ListTables", {"limit": 100}),
        ("dynamodb", "DescribeTable", {"tableName": "h01_users_identity"}),
    ),
    "support": (
        ("rds", "DescribeDBInstances", {"dBInstanceIdentifier": "d41-tickets-backoffice"}),
        ("eks", "ListClusters", {"maxResults": 100}),
        ("eks", "DescribeCluster", {"name": "ek11_cluster_backoffice"}),
        ("logs", "DescribeLogGroups", {"limit": 50}),
    ),
    "denied": (("rds", "DescribeDBInstances", {"maxRecords": 100}),),
    "nothing": (),
}


def build(log):
    for day in days():
        for name, person in PEOPLE.items():
            draw = chance("person", name, day)
            if works(day) and str(day) < person.last[:10] and draw.random() * 10 < person.often:
                when = at(day, draw.randrange(7, 10), draw.randrange(60), draw.randrange(60))
                working_day(log, name, when, draw, address_of(name, day, draw))
        keys(log, day)
        if is_holiday(day):
            on_call(log, day)
    for name, person in PEOPLE.items():
        when = moment(person.last)
        working_day(log, name, when, chance("last", name), address_of(name, when.date(), chance("last", name)))


def home(name, day):
    """An address at home: the provider changes what follows the prefix every few weeks."""
    return f"2001:db8:{PEOPLE[name].home:x}:{day.toordinal() // 17 % 8:x}::{day.toordinal() // 40 % 5 + 0x40:x}"


def address_of(name, day, draw):
    in_office = 1 <= day.weekday() <= 3 and draw.random() < 0.8
    return OFFICE.format(PEOPLE[name].office) if in_office else home(name, day)


def browser(name, day):
    person, version = PEOPLE[name], 142 + months_in(day)
    return person.browser.format(person.system, version, version)


def working_day(log, name, when, draw, address):
    """A login, and what follows in the next hours."""
    person, day = PEOPLE[name], when.date()
    session = console_login(log, name, when, address, browser(name, day), person.mfa)
    if person.subjects == ("support",):
        session = switch_role(log, session, later(when, 300), "support-engineer")
    for number, subject in enumerate(person.subjects):
        calls = SUBJECTS[subject]
        for service, operation, request in draw.sample(calls, min(len(calls), draw.randrange(1, 4))):
            seconds = 400 + 3000 * number + draw.randrange(2400)
            refused = {}
            if subject == "denied":
                refused = denial(session, f"{service}:{operation}")
            log.call(session, later(when, seconds), service, operation, request, **refused)
    if name == "anna" and (day.weekday() in (1, 4) or str(day) == "2026-11-15"):
        administer(log, session, later(when, 440), draw)


def denial(caller, action):
    message = f"User: {caller.identity['arn']} is not authorized to perform: {action} because no identity-based policy allows the {action} action"
    return {"error": "AccessDenied", "message": message}


def administer(log, session, when, draw):
    """Small changes, as the administrators' role."""
    admin = switch_role(log, session, when, "admin")
    row = draw.choice(list(recording.instances().values()))
    changes = (
        (
            "ec2",
            "CreateTags",
            {
                "resourcesSet": {"items": [{"resourceId": row["InstanceId"]}]},
                "tagSet": {"items": [{"key": "System", "value": "platform"}]},
            },
            {"_return": True},
        ),
        ("logs", "PutRetentionPolicy", {"logGroupName": "/ecs/shipping", "retentionInDays": 400}, None),
        ("monitoring", "PutMetricAlarm", {"alarmName": "parcels-cpu", "threshold": 80.0, "actionsEnabled": True}, None),
    )
    log.call(admin, later(when, 7), *draw.choice(changes))


def keys(log, day):
    """Command lines of people, with their keys."""
    draw = chance("key", day)
    if not works(day) or str(day) > "2026-11-13" or (draw.random() < 0.4 and str(day) != "2026-11-13"):
        return
    when = at(day, 16, 44) if str(day) == "2026-11-13" else at(day, draw.randrange(9, 16), draw.randrange(60))
    key = recording.keys("ben")[0] if str(day) >= "2026-10-05" else key_id("AKIA", "ben", "before")
    for number, operation in enumerate(("DescribeInstances", "DescribeVolumes")[: draw.randrange(1, 3)]):
        command = "ec2.describe-" + operation.removeprefix("Describe").lower()
        agent = CLI.format(minor=31 + months_in(day) // 2, system="linux#6.14.0", command=command)
        caller = with_key("ben", key, address_of("ben", day, draw), agent)
        log.call(caller, later(when, -60 * number), "ec2", operation, ROOM)


def on_call(log, day):
    """In the holidays one person looks after everything; in August from the road."""
    draw = chance("on call", day)
    if draw.random() < 0.35:
        name = "chen" if day.month != 8 else "ben"
        address = "2001:db8:70a1:3::{:x}".format(draw.randrange(16, 64)) if day.month == 8 else home(name, day)
        when = at(day, draw.randrange(8, 21), draw.randrange(60), draw.randrange(60))
        working_day(log, name, when, draw, address)

