"""The kinds of identity that call: users with keys and in the console, sessions of roles, services, strangers, root."""

from . import recording
from .events import Caller, digest, key_id, spoken, stamp
from .recording import ACCOUNT_ID, GLOBAL_REGION, MAIN_REGION

# The only gateway of the production network to the internet: what its machines call comes from there.
NAT = "198.51.100.10"
S3_ENDPOINT = "vpce-4e9544b918a9bf8c7"
PARTNER = "777788889999"
BOTO = "Boto3/1.40.{minor} md/Botocore#1.40.{minor} ua/2.1 os/linux#6.1.0 md/arch#x86_64 lang/python#3.13.1 md/pyimpl#CPython m/Z,b,e cfg/retry-mode#standard Botocore/1.40.{minor}"
CLI = "aws-cli/2.{minor}.0 md/awscrt#0.27.6 ua/2.1 os/{system} md/arch#x86_64 lang/python#3.13.7 md/pyimpl#CPython cfg/retry-mode#standard md/installer#exe md/prompt#off md/command#{command}"


def arn(tail):
    return f"arn:aws:iam::{ACCOUNT_ID}:{tail}"


def user_identity(name, user_id=None):
    return {
        "type": "IAMUser",
        "principalId": user_id or recording.identities()[f"user/{name}"],
        "arn": arn(f"user/{name}"),
        "accountId": ACCOUNT_ID,
        "userName": name,
    }


def with_key(name, key, address, agent, user_id=None):
    """A user with a long-term key."""
    return Caller(user_identity(name, user_id) | {"accessKeyId": key}, address, agent)


def in_console(name, since, address, agent, mfa=True, user_id=None):
    """A user who signed in to the console."""
    attributes = {"creationDate": stamp(since), "mfaAuthenticated": "true" if mfa else "false"}
    identity = user_identity(name, user_id) | {
        "accessKeyId": key_id("ASIA", name, since),
        "sessionContext": {"attributes": attributes},
    }
    return Caller(identity, address, agent, console=True)


def role_session(role, session, since, address, agent, mfa=False, role_id=None, role_arn=None, **more):
    """A session of a role."""
    role_id = role_id or recording.identities()[f"role/{role}"]
    issuer = {
        "type": "Role",
        "principalId": role_id,
        "arn": role_arn or recording.role_arn(role),
        "accountId": ACCOUNT_ID,
        "userName": role,
    }
    context = {"attributes": {"creationDate": stamp(since), "mfaAuthenticated": "true" if mfa else "false"}}
    if session.startswith("i-"):
        context["ec2RoleDelivery"] = "2.0"
    identity = {
        "type": "AssumedRole",
        "principalId": f"{role_id}:{session}",
        "arn": f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/{role}/{session}",
        "accountId": ACCOUNT_ID,
        "accessKeyId": key_id("ASIA", role, session, since),
        "sessionContext": {"sessionIssuer": issuer} | context,
    }
    return Caller(identity, address, agent, **more)


def service(name):
    host = f"{name}.amazonaws.com"
    return Caller({"type": "AWSService", "invokedBy": host}, host, host)


def machine(name, since, agent, endpoint=False):
    """The role of an instance; its credentials are new every few hours."""
    row = recording.instances()[name]
    role = row["IamInstanceProfile"]["Arn"].rsplit("/", 1)[1]
    since = since.replace(hour=since.hour // 6 * 6, minute=7, second=12)
    address = row["PrivateIpAddress"] if endpoint else row.get("PublicIpAddress") or NAT
    return role_session(role, row["InstanceId"], since, address, agent, endpoint=S3_ENDPOINT if endpoint else None)


def assume(log, caller, when, role, session, region=MAIN_REGION, role_arn=None, **request):
    """Notes that a role was assumed by somebody with credentials, or by a service."""
    role_arn = role_arn or recording.role_arn(role)
    identifier = recording.identities().get(f"role/{role}") or "AROA" + digest(role)[:17].upper()
    return log.call(
        caller,
        when,
        "sts",
        "AssumeRole",
        {"roleArn": role_arn, "roleSessionName": session, **request},
        {
            "assumedRoleUser": {
                "assumedRoleId": f"{identifier}:{session}",
                "arn": f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/{role}/{session}",
            },
            "credentials": credentials(role, session, when),
        },
        region=region,
        resources=[{"accountId": ACCOUNT_ID, "type": "AWS::IAM::Role", "ARN": role_arn}],
    )


def credentials(role, session, when):
    return {
        "accessKeyId": key_id("ASIA", role, session, when),
        "sessionToken": "HIDDEN_DUE_TO_SECURITY_REASONS",
        "expiration": spoken(when.replace(hour=(when.hour + 1) % 24), ","),
    }


def assume_by_token(log, when, role, session, provider, subject, address, agent):
    """A pipeline that shows a token of its own provider."""
    identity = {
        "type": "WebIdentityUser",
        "principalId": f"{arn(f'oidc-provider/{provider}')}:sts.amazonaws.com:{subject}",
        "userName": subject,
        "identityProvider": arn(f"oidc-provider/{provider}"),
    }
    role_arn = recording.role_arn(role)
    log.call(
        Caller(identity, address, agent),
        when,
        "sts",
        "AssumeRoleWithWebIdentity",
        {"roleArn": role_arn, "roleSessionName": session, "durationSeconds": 3600},
        {
            "credentials": credentials(role, session, when),
            "subjectFromWebIdentityToken": subject,
            "assumedRoleUser": {
                "assumedRoleId": f"{recording.identities()[f'role/{role}']}:{session}",
                "arn": f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/{role}/{session}",
            },
            "provider": arn(f"oidc-provider/{provider}"),
            "audience": "sts.amazonaws.com",
        },
        resources=[{"accountId": ACCOUNT_ID, "type": "AWS::IAM::Role", "ARN": role_arn}],
    )
    return role_session(role, session, when, address, agent)


def assume_from_account(log, account, when, role, session, address, agent, external_id=None, role_arn=None):
    """A role assumed from another account, whose trail tells the same under the same shared id."""
    principal = f"AROA{digest(account, session)[:17].upper()}"
    caller = Caller(
        {"type": "AWSAccount", "principalId": f"{principal}:{session}", "accountId": account}, address, agent
    )
    request = {"externalId": external_id} if external_id else {}
    event = assume(log, caller, when, role, session, role_arn=role_arn, **request)
    event["sharedEventID"] = event["requestID"][:9] + event["eventID"][9:]
    return event


def console_login(log, name, when, address, agent, mfa=True, region=MAIN_REGION, user_id=None):
    """A login to the console; answers the session."""
    identity = user_identity(name, user_id)
    device = {"MFAIdentifier": arn(f"mfa/{name}")} if mfa else {}
    log.sign_in(
        Caller(identity, address, agent),
        when,
        "ConsoleLogin",
        region,
        responseElements={"ConsoleLogin": "Success"},
        additionalEventData={
            "LoginTo": f"https://{region}.console.aws.amazon.com/console/home?region={region}",
            "MobileVersion": "No",
            "MFAUsed": "Yes" if mfa else "No",
            **device,
        },
        tlsDetails=sign_in_tls(region),
    )
    return in_console(name, when, address, agent, mfa, user_id)


def failed_login(log, name, when, address, agent, known=True):
    """A login that failed; of a user who doesn't exist even the name is hidden."""
    name = name if known else "HIDDEN_DUE_TO_SECURITY_REASONS"
    identity = {"type": "IAMUser", "accountId": ACCOUNT_ID, "accessKeyId": "", "userName": name}
    if known:
        identity["principalId"] = recording.identities()[f"user/{name}"]
    log.sign_in(
        Caller(identity, address, agent),
        when,
        "ConsoleLogin",
        GLOBAL_REGION,
        errorMessage="Failed authentication" if known else "No username found in supplied account",
        responseElements={"ConsoleLogin": "Failure"},
        additionalEventData={
            "LoginTo": "https://console.aws.amazon.com/console/home",
            "MobileVersion": "No",
            "MFAUsed": "No",
        },
        tlsDetails=sign_in_tls(GLOBAL_REGION),
    )


def sign_in_tls(region):
    host = "signin.aws.amazon.com" if region == GLOBAL_REGION else f"{region}.signin.aws.amazon.com"
    return {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": host}


def switch_role(log, session, when, role):
    """A user of the console becomes a role; answers the session of the role."""
    name = session.identity["userName"]
    mfa = session.identity["sessionContext"]["attributes"]["mfaAuthenticated"] == "true"
    inside = Caller(session.identity, "AWS Internal", "AWS Signin, aws-internal/3", invoked_by="AWS Internal")
    assume(log, inside, when, role, name)
    became = role_session(role, name, when, session.address, session.agent, mfa, console=True)
    short = {key: became.identity[key] for key in ("type", "principalId", "arn", "accountId")}
    log.sign_in(
        Caller(short, session.address, session.agent),
        when,
        "SwitchRole",
        GLOBAL_REGION,
        responseElements={"SwitchRole": "Success"},
        additionalEventData={
            "SwitchFrom": session.identity["arn"],
            "RedirectTo": "https://eu-west-1.console.aws.amazon.com/console/home?region=eu-west-1",
        },
    )
    return became
