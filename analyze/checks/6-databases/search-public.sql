/*
title = "No search domain has a public endpoint"
severity = "critical"
tables = ["aws_opensearch_domain"]
operations = ["DescribeDomains"]
frameworks = { fsbp = ["Opensearch.2"] }
remediation = "Restore a snapshot into a domain within a VPC; until then, name the roles that may use it in its access policy."
command = "aws opensearch update-domain-config --region {region} --domain-name {domain_name} --access-policies file://policy.json"
*/
with statements as (
    select account_id, arn, unnest(as_objects(as_document(access_policies) -> '$.Statement')) as statement
    from aws_opensearch_domain
),
principals as (
    select
        account_id, arn,
        list_concat(as_list(statement -> '$.Principal'), as_list(statement -> '$.Principal.AWS')) as names,
        lower((statement -> '$.Condition')::varchar)::json as condition
    from statements
    where statement ->> '$.Effect' = 'Allow'
),
conditions as (
    select
        account_id, arn,
        coalesce(flatten(list_transform(json_keys(condition), lambda operator: json_keys(condition, '$."' || operator || '"'))), []) as keys,
        as_list(condition -> '$.ipaddress."aws:sourceip"') as cidrs
    from principals
    where list_contains(names, '*')
),
open as (
    -- What holds everybody back: who asks, or from which network, unless that network is the whole internet.
    select
        account_id, arn,
        bool_or(
            not list_has_any(keys, [
                'aws:principalorgid', 'aws:principalorgpaths', 'aws:principalaccount', 'aws:principalarn', 'aws:userid', 'aws:username',
                'aws:sourceaccount', 'aws:sourcearn', 'aws:sourcevpc', 'aws:sourcevpce', 'aws:sourceip', 'aws:vpcsourceip'
            ])
            or len(list_filter(cidrs, lambda cidr: is_world(cidr))) > 0
        ) as to_everybody
    from conditions
    group by account_id, arn
)
select
    d.account_id,
    d.region,
    d.arn as resource_arn,
    not d.in_vpc as failed,
    case
        when d.in_vpc then 'it lies in a VPC'
        when not d.in_vpc and coalesce(o.to_everybody, false) and d.advanced_security_enabled then 'public, and its access policy lets everybody in; only its own users stand before it'
        when not d.in_vpc and coalesce(o.to_everybody, false) then 'public, and its access policy lets everybody in'
        when not d.in_vpc then 'public; its access policy names who may use it'
        else 'whether it lies in a VPC could not be asked'
    end as reason,
    {'domain_name': d.domain_name, 'endpoint': d.endpoint, 'open_policy': coalesce(o.to_everybody, false), 'advanced_security': d.advanced_security_enabled} as evidence,
    case when not coalesce(o.to_everybody, false) or coalesce(d.advanced_security_enabled, false) then 'high' end as severity
from aws_opensearch_domain as d
left join open as o on o.account_id = d.account_id and o.arn = d.arn
where not coalesce(d.deleted, false)
