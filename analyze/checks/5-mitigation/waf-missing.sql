/*
title = "What the internet reaches over HTTP stands behind a web ACL"
severity = "medium"
tables = ["aws_elbv2_load_balancer", "aws_wafv2_web_acl", "aws_cloudfront_distribution", "aws_apigateway_stage", "aws_apigateway_rest_api"]
operations = ["GetStages"]
frameworks = { fsbp = ["ELB.16", "CloudFront.6", "APIGateway.4"] }
remediation = "Associate a web ACL with it, with AWS's managed core rule set and a rate limit to begin with."
command = "aws {service} {operation} --region {api_region} {target_option} {target} --web-acl-arn {web_acl_arn}"
*/
with protected as (
    select distinct account_id, load_balancer_arn
    from (select account_id, unnest(load_balancer_arns) as load_balancer_arn from aws_wafv2_web_acl)
),
-- Where web ACLs, or what one of them protects, could not be listed, a load balancer without one may have one.
unreadable as (
    select account_id, region
    from gaps
    where resource_arn is null and kind <> 'not_collected' and (table_name = 'aws_wafv2_web_acl' or table_name is null)
    union
    select account_id, region
    from aws_wafv2_web_acl
    where load_balancer_arns is null
),
-- Network load balancers take no web ACL.
balancers as (
    select
        b.account_id, b.region, b.arn, 'load balancer' as kind,
        case when p.load_balancer_arn is not null then true when u.region is null then false end as protected,
        b.scheme = 'internet-facing' as faces_internet
    from aws_elbv2_load_balancer as b
    left join protected as p on p.account_id = b.account_id and p.load_balancer_arn = b.arn
    left join unreadable as u on u.account_id = b.account_id and u.region = b.region
    where b.type = 'application' and b.scheme is distinct from 'internal'
),
distributions as (
    select account_id, region, arn, 'distribution' as kind, web_acl_id <> '' as protected, true as faces_internet
    from aws_cloudfront_distribution
    where enabled is distinct from false
),
-- HTTP and WebSocket APIs take no web ACL, and a private API is reached through endpoints in VPCs only. The list of
-- stages names the web ACL of each that has one.
stages as (
    select
        s.account_id, s.region, s.arn, 'API stage' as kind,
        s.web_acl_arn is not null and s.web_acl_arn <> '' as protected,
        case when a.endpoint_types is not null then true end as faces_internet
    from aws_apigateway_stage as s
    left join aws_apigateway_rest_api as a on a.account_id = s.account_id and a.region = s.region and a.api_id = s.api_id
    where not coalesce(list_contains(a.endpoint_types, 'PRIVATE'), false)
),
fronts as (
    select * from balancers
    union all
    select * from distributions
    union all
    select * from stages
)
select
    account_id,
    region,
    arn as resource_arn,
    not protected and faces_internet as failed,
    case
        when protected then 'the ' || kind || ' has a web ACL'
        when faces_internet and not protected then 'the ' || kind || ' faces the internet without a web ACL'
        when not protected then 'whether the ' || kind || ' faces the internet is not known'
        else 'whether the ' || kind || ' has a web ACL is not known'
    end as reason,
    {
        'kind': kind,
        'service': case kind when 'distribution' then 'cloudfront' else 'wafv2' end,
        'operation': case kind when 'distribution' then 'associate-distribution-web-acl' else 'associate-web-acl' end,
        -- CloudFront is called in its partition's main region.
        'api_region': case when region <> 'global' then region when split_part(arn, ':', 2) = 'aws-cn' then 'cn-northwest-1' else 'us-east-1' end,
        'target_option': case kind when 'distribution' then '--id' else '--resource-arn' end,
        'target': case kind when 'distribution' then arn_tail(arn) else arn end
    } as evidence
from fronts
