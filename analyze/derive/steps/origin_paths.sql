-- One row per thing behind a distribution or an API: the origin a distribution fetches from, the function an API may call.
with origins as (
    select distinct r.account_id, r.region, r.from_arn, r.to_arn
    from relationships as r
    where r.source_table = 'aws_cloudfront_distribution' and r.kind = 'targets' and r.to_arn is not null
),
buckets as (
    select
        o.account_id, o.region, o.from_arn, o.to_arn, 'bucket' as kind,
        b.policy_is_public, b.has_policy, b.public_by_acl,
        len(list_filter(as_objects(b.document -> '$.Statement'), lambda statement:
            lower(statement ->> '$.Effect') = 'allow'
            and (
                list_contains(as_list(statement -> '$.Principal.Service'), 'cloudfront.amazonaws.com')
                    and (json_type(statement -> '$.Condition') is null or contains((statement -> '$.Condition')::varchar, o.from_arn))
                or len(list_filter(as_list(statement -> '$.Principal.AWS'), lambda principal: contains(principal, ':iam::cloudfront:user/'))) > 0
            )
        )) > 0 as let_in,
        denies_over_tls(b.document) as may_deny
    from origins as o
    join (
        select a.arn, b.has_policy, a.public_by_policy as policy_is_public, a.public_by_acl, as_document(b.policy) as document
        from bucket_access as a
        join aws_s3_bucket as b on b.account_id = a.account_id and b.arn = a.arn
    ) as b on b.arn = o.to_arn
),
balancers as (
    select o.account_id, o.region, o.from_arn, o.to_arn, l.region as at_region, l.port, l.words
    from origins as o
    join listening_ports as l on l.arn = o.to_arn and (l.port in (80, 443) or l.port is null)
),
let_in as (
    -- A list of AWS with CloudFront's name, or everyone.
    select distinct f.arn, r.from_port, r.to_port, r.group_arn
    from (select distinct arn, region, group_id from fleets where kind = 'balancer') as f
    join (
        select region, group_id, arn as group_arn, from_port, to_port
        from group_rules
        where not egress and protocol = 'tcp' and peer_kind = 'service' and contains(peer, 'cloudfront')
        union
        select region, group_id, arn, from_port, to_port
        from world_openings
        where protocol = 'tcp' and not unread
    ) as r on r.region = f.region and r.group_id = f.group_id
),
functions as (
    select
        f.account_id, f.region, f.arn as to_arn,
        unnest(list_distinct(flatten(list_transform(as_objects(as_document(f.policy) -> '$.Statement'), lambda statement:
            case
                when lower(statement ->> '$.Effect') = 'allow' and list_contains(as_list(statement -> '$.Principal.Service'), 'apigateway.amazonaws.com')
                    then regexp_extract_all((statement -> '$.Condition')::varchar, ':execute-api:[^:"]*:[^:"]*:([^/"*:]+)', 1)
                else []::varchar[]
            end
        )))) as api_id
    from aws_lambda_function as f
),
apis as (
    select account_id, region, arn, api_id from aws_apigateway_rest_api
    union all
    select account_id, region, arn, api_id from aws_apigatewayv2_api
)
select
    account_id, region, from_arn, to_arn, 'bucket' as kind, null as protocol, null as port,
    case
        when policy_is_public or public_by_acl then true
        when let_in and not may_deny then true
        -- A policy that is known, and names neither everyone nor CloudFront.
        when not let_in and has_policy is not null and policy_is_public is not null and public_by_acl is not null then false
    end as open,
    case when let_in then 'a Deny in its policy may stand before it' else 'its policy is not in the run' end as why,
    'origin' as detail, null as group_arn
from buckets
union all by name
select
    b.account_id, b.at_region as region, b.from_arn, b.to_arn, 'balancer' as kind, 'tcp' as protocol, b.port,
    l.arn is not null and b.port is not null or null as open,
    'whether its security groups let CloudFront in is not known' as why, coalesce(b.words, 'origin') as detail, min(l.group_arn) as group_arn
from balancers as b
left join let_in as l on l.arn = b.to_arn and b.port between l.from_port and l.to_port
group by all
union all by name
select
    o.account_id, o.region, o.from_arn, o.to_arn, case when o.to_arn like 'arn:%:lambda:%' then 'function' else 'api' end as kind,
    null as open, 'whether it takes the requests of the distribution is not weighed here' as why, 'origin' as detail
from origins as o
where o.to_arn not like 'arn:%:s3:%' and o.to_arn not like 'arn:%:elasticloadbalancing:%'
union all by name
select
    f.account_id, f.region, a.arn as from_arn, f.to_arn, 'function' as kind,
    null as open, 'the function lets the API call it; whether one of its routes does is not in the run' as why, 'its policy names the API' as detail
from functions as f
join apis as a on a.account_id = f.account_id and a.region = f.region and a.api_id = f.api_id
