/*
title = "Network ACLs do not let the internet reach SSH and RDP"
severity = "medium"
tables = ["aws_ec2_network_acl"]
frameworks = { "cis_v3.0" = ["5.1"], "cis_v5.0" = ["5.2"], fsbp = ["EC2.21"] }
remediation = "Allow the networks that need the port in rules of lower numbers, then deny it to all others before the rule that lets them in."
command = "aws ec2 create-network-acl-entry --region {region} --network-acl-id {network_acl_id} --ingress --rule-number {free_rule_number} --protocol 6 --port-range From={port},To={port} {cidr_option} {cidr} --rule-action deny"
*/
with entries as (
    select account_id, arn, unnest(as_objects(entries)) as entry
    from aws_ec2_network_acl
),
ingress as (
    select
        account_id, arn,
        try_cast(entry ->> '$.RuleNumber' as integer) as rule_number,
        entry ->> '$.RuleAction' as action,
        entry ->> '$.Protocol' as protocol,
        -- Only TCP and UDP have ports; a rule for all protocols has none.
        case when entry ->> '$.Protocol' = '6' then try_cast(entry ->> '$.PortRange.From' as integer) end as from_port,
        case when entry ->> '$.Protocol' = '6' then try_cast(entry ->> '$.PortRange.To' as integer) end as to_port,
        coalesce(entry ->> '$.CidrBlock', entry ->> '$.Ipv6CidrBlock') as cidr
    from entries
    where entry ->> '$.Egress' = 'false'
),
ports as (
    select
        i.account_id, i.arn, i.rule_number, i.action, i.cidr, p.port, contains(i.cidr, ':') as is_ipv6,
        try_cast(split_part(i.cidr, '/', 2) as integer) as prefix_length,
        list_reduce(list_transform(string_split(split_part(i.cidr, '/', 1), '.'), lambda part: try_cast(part as bigint)), lambda high, low: high * 256 + low) as address
    from ingress as i
    cross join (values (22), (3389)) as p (port)
    where i.protocol in ('6', '-1') and covers_port(i.from_port, i.to_port, p.port)
),
-- The lowest number that matches a packet decides: an allowance stands unless a deny before it covers all of its range.
open_rules as (
    select a.account_id, a.arn, a.rule_number, a.cidr, a.is_ipv6, a.port
    from ports as a
    anti join ports as d
        on d.account_id = a.account_id and d.arn = a.arn and d.port = a.port and d.is_ipv6 = a.is_ipv6
        and d.action = 'deny' and d.rule_number < a.rule_number
        and (
            d.cidr = a.cidr or d.prefix_length = 0
            or not d.is_ipv6 and d.prefix_length <= a.prefix_length and d.address >> (32 - d.prefix_length) = a.address >> (32 - d.prefix_length)
        )
    where a.action = 'allow' and is_world(a.cidr)
),
taken as (
    select account_id, arn, list(distinct rule_number) as rule_numbers
    from ingress
    group by account_id, arn
),
by_acl as (
    select
        account_id, arn,
        string_agg('tcp/' || port || ' from ' || cidr || ' (rule ' || rule_number || ')', ', ' order by port, rule_number, cidr) as rules,
        min_by({'rule_number': rule_number, 'cidr': cidr, 'port': port, 'is_ipv6': is_ipv6}, (rule_number, cidr, port)) as first_rule
    from open_rules
    group by account_id, arn
)
select
    n.account_id,
    n.region,
    n.arn as resource_arn,
    case when n.entries is not null then o.arn is not null end as failed,
    case
        when o.arn is not null then 'lets in ' || o.rules || case when len(n.subnet_ids) = 0 then ', but guards no subnet' else '' end
        when n.entries is not null then 'neither SSH nor RDP is open to the internet'
        else 'its rules are not known'
    end as reason,
    {
        'network_acl_id': n.network_acl_id, 'is_default': n.is_default, 'subnet_ids': n.subnet_ids, 'rules': o.rules,
        'port': o.first_rule.port, 'cidr': o.first_rule.cidr,
        'cidr_option': case when o.first_rule.is_ipv6 then '--ipv6-cidr-block' else '--cidr-block' end,
        'free_rule_number': list_max(list_filter(range(1, o.first_rule.rule_number), lambda number: not list_contains(t.rule_numbers, number::integer)))
    } as evidence,
    -- Nothing is behind a list that guards no subnet; it opens the first subnet that is given to it.
    case when len(n.subnet_ids) = 0 then 'low' end as severity
from aws_ec2_network_acl as n
left join by_acl as o on o.account_id = n.account_id and o.arn = n.arn
left join taken as t on t.account_id = n.account_id and t.arn = n.arn
