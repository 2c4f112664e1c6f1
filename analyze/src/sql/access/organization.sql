-- The policies that limit an account, node by node from the root of its organization. They spare the account that manages it, its
-- principals and its resources. A service control policy whose targets are not known could be what allows everything: without its
-- targets nothing is limited.
with nodes as (
    select member_account_id as account_id, node, position
    from (
        select member_account_id, unnest(path_nodes) as node, generate_subscripts(path_nodes, 1) as position
        from (
            select a.member_account_id, list_filter(string_split(a.paths[1], '/'), lambda part: part <> '') as path_nodes
            from aws_organizations_account as a
            where len(a.paths) > 0
        )
    )
    where not starts_with(node, 'o-')
),
policies as (
    select 'serviceControlPolicies' as layer, arn, as_document(content)::varchar as document, unnest(target_ids) as node
    from aws_organizations_service_control_policy
    union all
    select 'resourceControlPolicies', arn, as_document(content)::varchar, unnest(target_ids)
    from aws_organizations_resource_control_policy
)
select n.account_id, n.position, n.node, p.layer, p.arn as policy, p.document
from nodes as n
left join policies as p on p.node = n.node
where n.account_id not in (select management_account_id from aws_organizations_organization where management_account_id is not null)
    and (
        p.layer = 'resourceControlPolicies'
        or not exists (select * from aws_organizations_service_control_policy where target_ids is null)
    )
order by n.account_id, n.position, n.node, p.layer, p.arn
