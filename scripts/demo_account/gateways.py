"""Ways in: load balancers of shipping and the back office, web ACLs, the APIs of the mobile app, a certificate about to end."""

from . import balancing, databases, media
from .shop import ACCOUNT_ID, GLOBAL_REGION, MAIN_REGION, pairs, tags

HERE = f"{MAIN_REGION}:{ACCOUNT_ID}"
LOGGED = {
    "access_logs.s3.enabled": "true",
    "access_logs.s3.bucket": "shop-prod-logs",
    "access_logs.s3.prefix": "alb",
    "deletion_protection.enabled": "true",
}
RULES = ("AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet")
# name: (id, region, scope, importance, env, rules, log group or None, keys of load balancers)
WEB_ACLS = {
    "wa11_shop_platform": (
        "3b6e19f4-58a2-4c07-b1d9-0e72f4c85a36",
        MAIN_REGION,
        "REGIONAL",
        "critical",
        "prod",
        RULES,
        "aws-waf-logs-shop",
        ("backoffice",),
    ),
    # Made to try it out, and put in front of staging so that the check of another tool turned green.
    "wa51_trial_platform": (
        "91f0c4a7-2d6b-4e83-a95c-7b18d3e60f24",
        MAIN_REGION,
        "REGIONAL",
        "low",
        "staging",
        (),
        None,
        ("staging",),
    ),
    "wa21_films_media": (
        media.WEB_ACL.rsplit("/", 1)[1],
        GLOBAL_REGION,
        "CLOUDFRONT",
        "high",
        "prod",
        RULES,
        "aws-waf-logs-films",
        (),
    ),
}
API = "k7q2m9x4c1"
# Where the tasks of shipping listen, in private-a and private-b.
TASKS = ("10.20.10.80", "10.20.11.80")
# stage: (env, importance, logs, web ACL)
STAGES = {"prod": ("prod", "critical", True, True), "beta": ("staging", "low", False, False)}


def build(shop):
    shop.at("2024-06-06T08:00:00Z")
    balancers(shop)
    certificate(shop)
    for name, row in WEB_ACLS.items():
        web_acl(shop, name, *row)
    rest_api(shop)
    http_api(shop)
    plant(shop)


def balancers(shop):
    balancing.balancer(shop, "shipping", "l11_alb_shipping", "high", "internal", "ab", LOGGED)
    balancing.balancer(shop, "backoffice", "l21_alb_backoffice", "high", "internet-facing", "ab", LOGGED)
    # The carriers let one address of ours in, and so it was put into one zone.
    balancing.balancer(
        shop,
        "carriers",
        "l12_carriers_shipping",
        "medium",
        "internal",
        "b",
        LOGGED,
        kind="network",
        group=None,
        dr="none",
    )
    balancing.balancer(
        shop,
        "staging",
        "l61_alb_backoffice",
        "low",
        "internet-facing",
        "ab",
        {},
        tier="staging",
        group="sg-staging-alb",
        env="staging",
        dr="none",
    )
    group = balancing.target_group
    group(shop, "shipping", "t11_labels_shipping", "high", 8080, [], addresses=TASKS)
    group(shop, "backoffice", "t21_nodes_backoffice", "high", 30443, ["k41_node_backoffice", "k42_node_backoffice"])
    group(shop, "carriers", "t12_carriers_shipping", "medium", 2222, ["k21_carrier_shipping"], protocol="TCP")
    group(
        shop,
        "staging",
        "t61_nodes_backoffice",
        "low",
        30443,
        ["k71_node_backoffice"],
        vpc="staging-vpc",
        env="staging",
    )
    for key in ("shipping", "backoffice", "staging"):
        balancing.https(shop, key, balancing.MODERN_TLS)
    shop.client("elbv2").create_listener(
        LoadBalancerArn=shop.ids["alb-carriers"],
        Protocol="TCP",
        Port=2222,
        DefaultActions=balancing.forward(shop, "carriers"),
    )
    shop.client("autoscaling").attach_load_balancer_target_groups(
        AutoScalingGroupName="g92_nodes_backoffice", TargetGroupARNs=[shop.ids["targets-staging"]]
    )
    for key, group, subnets, public in (
        ("shipping", "sg-alb-shipping", ["private-a", "private-b"], False),
        ("backoffice", "sg-alb-backoffice", ["public-a", "public-b"], True),
        ("staging", "sg-staging-alb", ["staging-a", "staging-b"], True),
    ):
        path = shop.ids[f"alb-{key}"].split("loadbalancer/")[1]
        shop.interfaces.append(("amazon-elb", f"ELB {path}", group, subnets, public))
    for key in ("shipping", "carriers"):
        name = shop.ids[f"alb-{key}-name"]
        shop.replacements.append((name, f"internal-{name}"))


def certificate(shop):
    """Bought elsewhere for one partner and imported, so that nothing renews it."""
    acm = shop.client("acm")
    shop.at("2025-11-25T09:00:00Z")
    scheme = tags("m11_partner-certificate_reporting", importance="medium", dr="none")
    arn = acm.request_certificate(DomainName="reports.shop.example.com", ValidationMethod="DNS", Tags=pairs(scheme))[
        "CertificateArn"
    ]
    shop.ids["certificate-partner"] = arn


def visibility(name):
    return {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": name}


def web_acl(shop, name, identifier, region, scope, importance, env, rules, logs, protected):
    level = "global" if scope == "CLOUDFRONT" else "regional"
    arn = f"arn:aws:wafv2:{region}:{ACCOUNT_ID}:{level}/webacl/{name}/{identifier}"
    scheme, token = tags(name, importance=importance, dr="none", env=env), identifier[::-1]
    row = {"Name": name, "Id": identifier, "Description": "", "LockToken": token, "ARN": arn}
    shop.add("wafv2", "ListWebACLs", "WebACLs", row, scope, region)
    content = [
        {
            "Name": rule,
            "Priority": number,
            "Statement": {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": rule}},
            "OverrideAction": {"None": {}},
            "VisibilityConfig": visibility(rule),
        }
        for number, rule in enumerate(rules)
    ]
    described = {
        "Name": name,
        "Id": identifier,
        "ARN": arn,
        "DefaultAction": {"Allow": {}},
        "Description": "",
        "Rules": content,
        "VisibilityConfig": visibility(name),
        "Capacity": 900 if rules else 0,
        "ManagedByFirewallManager": False,
        "LabelNamespace": f"awswaf:{ACCOUNT_ID}:webacl:{name}:",
    }
    shop.answer("wafv2", "GetWebACL", {"WebACL": described, "LockToken": token}, identifier, region)
    if logs:
        destination = f"arn:aws:logs:{region}:{ACCOUNT_ID}:log-group:{logs}"
        logging = {"LoggingConfiguration": {"ResourceArn": arn, "LogDestinationConfigs": [destination]}}
    else:
        message = "AWS WAF couldn’t perform the operation because your resource doesn’t exist."
        logging = {"Error": {"Code": "WAFNonexistentItemException", "Message": message}}
    shop.answer("wafv2", "GetLoggingConfiguration", logging, arn, region)
    if scope == "REGIONAL":
        arns = [shop.ids[f"alb-{key}"] for key in protected]
        shop.answer("wafv2", "ListResourcesForWebACL", {"ResourceArns": arns}, arn, region)
    info = {"TagInfoForResource": {"ResourceARN": arn, "TagList": pairs(scheme)}}
    shop.answer("wafv2", "ListTagsForResource", info, arn, region)
    shop.ids[name] = arn
    shop.sweep(arn, scheme, region)


def rest_api(shop):
    arn = f"arn:aws:apigateway:{MAIN_REGION}::/restapis/{API}"
    scheme = tags("ag11_api_mobile", importance="critical", dr="none")
    row = {
        "id": API,
        "name": "ag11_api_mobile",
        "description": "API of the mobile app",
        "createdDate": "2024-06-06T09:00:00+00:00",
        "version": "2026-10-01",
        "apiKeySource": "HEADER",
        "endpointConfiguration": {"types": ["REGIONAL"], "ipAddressType": "ipv4"},
        "tags": scheme,
        "disableExecuteApiEndpoint": False,
        "rootResourceId": "a1b2c3d4e5",
    }
    shop.add("apigateway", "GetRestApis", "items", row)
    shop.ids["api"] = arn
    paths(shop)
    shop.sweep(arn, scheme)
    for name, (env, importance, logged, protected) in STAGES.items():
        stage(shop, arn, name, env, importance, logged, protected)


def paths(shop):
    """Everything is answered by one function."""
    root = {"id": "a1b2c3d4e5", "path": "/"}
    uri = f"arn:aws:apigateway:{MAIN_REGION}:lambda:path/2015-03-31/functions/{shop.ids['f41_session_mobile']}/invocations"
    integration = {
        "type": "AWS_PROXY",
        "httpMethod": "POST",
        "uri": uri,
        "passthroughBehavior": "WHEN_NO_MATCH",
        "timeoutInMillis": 29000,
        "cacheNamespace": "f6g7h8j9k0",
        "cacheKeyParameters": [],
    }
    method = {
        "httpMethod": "ANY",
        "authorizationType": "AWS_IAM",
        "apiKeyRequired": False,
        "methodIntegration": integration,
    }
    proxy = {
        "id": "f6g7h8j9k0",
        "parentId": root["id"],
        "pathPart": "{proxy+}",
        "path": "/{proxy+}",
        "resourceMethods": {"ANY": method},
    }
    shop.answer("apigateway", "GetResources", {"items": [root, proxy]}, API)


def stage(shop, api, name, env, importance, logged, protected):
    tested = {"LastAssessed": "2025-02-17"} if protected else {}
    scheme = tags(f"ag{21 if env == 'prod' else 61}_{name}_mobile", importance=importance, dr="none", env=env, **tested)
    row = {
        "deploymentId": "d4f7k1",
        "stageName": name,
        "cacheClusterEnabled": False,
        "cacheClusterStatus": "NOT_AVAILABLE",
        "methodSettings": {},
        "tracingEnabled": logged,
        "tags": scheme,
        "createdDate": "2024-06-06T09:30:00+00:00",
        "lastUpdatedDate": "2026-10-01T12:00:00+00:00",
    }
    if logged:
        row["accessLogSettings"] = {
            "format": "$context.requestId $context.status",
            "destinationArn": f"arn:aws:logs:{HERE}:log-group:/apigateway/mobile",
        }
        row["methodSettings"] = {
            "*/*": {
                "metricsEnabled": True,
                "loggingLevel": "INFO",
                "dataTraceEnabled": False,
                "throttlingBurstLimit": 5000,
                "throttlingRateLimit": 10000.0,
                "cachingEnabled": False,
                "cacheTtlInSeconds": 300,
                "cacheDataEncrypted": False,
                "requireAuthorizationForCacheControl": True,
                "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
            }
        }
    if protected:
        row["webAclArn"] = shop.ids["wa11_shop_platform"]
    shop.add("apigateway", "GetStages", "item", row, API)
    shop.ids[f"stage-{name}"] = f"{api}/stages/{name}"
    shop.sweep(f"{api}/stages/{name}", scheme)


def http_api(shop):
    """The addresses to which the push provider reports."""
    identifier, scheme = "p4w8r2t6z0", tags("ag31_push_notifications", importance="medium", dr="none")
    arn = f"arn:aws:apigateway:{MAIN_REGION}::/apis/{identifier}"
    row = {
        "ApiEndpoint": f"https://{identifier}.execute-api.{MAIN_REGION}.amazonaws.com",
        "ApiId": identifier,
        "ApiKeySelectionExpression": "$request.header.x-api-key",
        "CreatedDate": "2024-06-07T09:00:00+00:00",
        "DisableExecuteApiEndpoint": False,
        "Name": "ag31_push_notifications",
        "ProtocolType": "HTTP",
        "RouteSelectionExpression": "$request.method $request.path",
        "Tags": scheme,
    }
    shop.add("apigatewayv2", "GetApis", "Items", row)
    integration = {
        "ConnectionType": "INTERNET",
        "IntegrationId": "n3v7c5x",
        "IntegrationMethod": "POST",
        "IntegrationType": "AWS_PROXY",
        "IntegrationUri": shop.ids["f22_push_notifications"],
        "PayloadFormatVersion": "2.0",
        "TimeoutInMillis": 30000,
    }
    shop.add("apigatewayv2", "GetIntegrations", "Items", integration, identifier)
    settings = {
        "AutoDeploy": True,
        "CreatedDate": "2024-06-07T09:05:00+00:00",
        "DefaultRouteSettings": {"DetailedMetricsEnabled": False},
        "LastUpdatedDate": "2024-06-07T09:05:00+00:00",
        "StageName": "$default",
        "StageVariables": {},
        "Tags": scheme,
    }
    shop.add("apigatewayv2", "GetStages", "Items", settings, identifier)
    shop.ids["stage-push"] = f"{arn}/stages/$default"
    shop.sweep(arn, scheme)
    shop.sweep(shop.ids["stage-push"], scheme)


def plant(shop):
    shop.fault("elb-single-az", shop.ids["alb-carriers"], "one zone")
    shop.fault("elb-logs", shop.ids["alb-staging"], "no access logs")
    shop.fault("elb-deletion-protection", shop.ids["alb-staging"], "deletion protection is off")
    shop.fault("elb-targets", shop.ids["targets-carriers"], "one target")
    shop.fault("elb-targets", shop.ids["targets-staging"], "one target")
    shop.fault("waf-empty", shop.ids["wa51_trial_platform"], "no rule")
    shop.fault("waf-logs", shop.ids["wa51_trial_platform"], "no logs")
    shop.fault("waf-missing", shop.ids["stage-beta"], "no web ACL")
    shop.fault("apigw-logs", shop.ids["stage-beta"], "no access logs")
    shop.fault("apigw-logs", shop.ids["stage-push"], "no access logs")
    shop.fault("cert-expiring", shop.ids["certificate-partner"], "ends in eight days, imported")
    shop.fault("tag-env-conflict", shop.ids["stage-beta"], "a stage of staging, in the API of production")
    shop.fault("asv-scope", shop.ids["alb-checkout"], "faces the internet")
    shop.fault("tag-criticality-gap", shop.ids["role-lambda-mobile"], "high, and a critical function runs as it")
    shop.fault("tag-criticality-gap", databases.MANAGED_SECRET, "without importance, and the ledger needs it")
