/*
title = "Somebody may open cases with AWS Support"
severity = "low"
tables = ["aws_iam_user", "aws_iam_group", "aws_iam_role", "aws_iam_policy"]
absence = true
frameworks = { "cis_v3.0" = ["1.17"], "cis_v5.0" = ["1.16"] }
remediation = "Make a role with AWSSupportAccess that those on duty may assume, so that nobody needs an administrator to call AWS."
command = "aws iam attach-role-policy --role-name ... --policy-arn arn:{partition}:iam::aws:policy/AWSSupportAccess"
*/
with statements as (
    select
        account_id, principal_kind, principal_arn, principal_name, policy_arn,
        document is null and policy_arn not like 'arn:%:iam::aws:%' as unread,
        unnest(list_concat(as_objects(document -> '$.Statement'), [null::json])) as statement
    from attached_policies
),
-- Grants that mean support: AWS's policy, or one that names the service; whoever may do everything is no answer.
granted as (
    select account_id, principal_kind, principal_arn, principal_name, bool_and(unread) as unread
    from statements
    where principal_kind <> 'group'
        and (
            unread
            or policy_arn like 'arn:%:iam::aws:policy/AWSSupportAccess'
            or statement ->> '$.Effect' = 'Allow'
            and list_contains(list_transform(as_list(statement -> '$.Action'), lambda action: lower(action)), 'support:*')
            and list_contains(as_list(statement -> '$.Resource'), '*')
        )
    group by account_id, principal_kind, principal_arn, principal_name
),
-- A role that only services may assume helps nobody.
open_roles as (
    select account_id, arn, bool_or(principal_kind in ('AWS', 'Federated')) as for_people
    from trust_statements
    group by account_id, arn
),
judged as (
    select
        g.account_id, g.principal_name, g.principal_kind,
        case
            when g.unread then null
            when g.principal_kind = 'user' then true
            when r.assume_role_policy is not null then coalesce(o.for_people, false)
        end as usable
    from granted as g
    left join aws_iam_role as r on r.account_id = g.account_id and r.arn = g.principal_arn
    left join open_roles as o on o.account_id = g.account_id and o.arn = g.principal_arn
),
by_account as (
    select
        account_id, bool_or(coalesce(usable, false)) as usable, bool_or(usable is null) as unread,
        string_agg(principal_kind || ' ' || principal_name, ', ' order by principal_kind, principal_name) filter (where usable) as people,
        string_agg(principal_name, ', ' order by principal_name) as holders
    from judged
    group by account_id
)
select
    a.account_id,
    'global' as region,
    a.arn as resource_arn,
    case when b.usable then false when b.unread then null else true end as failed,
    case
        when b.usable then 'support is open to ' || b.people
        when b.unread then 'whether it is open to ' || b.holders || ' is not known'
        when b.holders is not null then 'only services may assume ' || b.holders
        else 'nobody holds AWSSupportAccess'
    end as reason,
    {'partition': a.partition, 'holders': b.holders} as evidence
from accounts as a
left join by_account as b on b.account_id = a.account_id
