/*
title = "Nobody can make an administrator of themselves"
severity = "high"
tables = ["aws_iam_user", "aws_iam_role", "aws_iam_group", "aws_iam_policy"]
remediation = "Take away one permission of the path: limit iam:PassRole and sts:AssumeRole to the roles that are needed, iam actions to names that nobody powerful has, and set a permissions boundary on whatever may write policies."
command = "analyze access --principal {resource_arn}"
links = ["https://pathfinding.cloud", "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html"]
*/
-- The shortest way to an administrator that needs least MFA, step by step through `escalations`. Assuming a role that is an administrator is no
-- escalation: that was granted.
with recursive steps as (
    select
        principal_arn, target_arn, to_admin, path_id, actions, via_arn, mfa, conditions,
        case verdict when 'unknown' then 0 else 1 end as certain,
        path_id like 'sts-%' as is_assumption,
        title || case when target_arn <> principal_arn then ' (' || principal_label(target_arn) || ')' when via_arn is not null then ' (' || principal_label(via_arn) || ')' else '' end as words
    from escalations
    qualify row_number() over (
        partition by principal_arn, target_arn, to_admin, path_id like 'sts-%'
        order by verdict = 'unknown', mfa = 'required', verdict = 'conditional', len(actions), path_id, via_arn
    ) = 1
),
-- Found backwards, from who is an administrator by one step.
routes using key (principal_arn, escalates, certain, needs_mfa) as (
    select principal_arn, not is_assumption as escalates, certain, [words] as words, [path_id] as path_ids, actions, conditions, mfa = 'required' as needs_mfa, target_arn as first_target
    from steps
    where to_admin
    qualify row_number() over (partition by principal_arn, is_assumption, certain, mfa = 'required' order by len(actions), path_id, target_arn) = 1
    union
    select n.*
    from (
        select
            s.principal_arn, r.escalates or not s.is_assumption as escalates, least(r.certain, s.certain) as certain,
            list_prepend(s.words, r.words) as words, list_prepend(s.path_id, r.path_ids) as path_ids, list_concat(s.actions, r.actions) as actions,
            list_concat(s.conditions, r.conditions) as conditions, s.mfa = 'required' or r.needs_mfa as needs_mfa, s.target_arn as first_target
        from routes as r
        join steps as s on s.target_arn = r.principal_arn and s.principal_arn <> s.target_arn
        where len(r.words) < 8
    ) as n
    left join recurring.routes as k on k.principal_arn = n.principal_arn and k.escalates = n.escalates and k.certain = n.certain and k.needs_mfa = n.needs_mfa
    where k.principal_arn is null
    qualify row_number() over (partition by n.principal_arn, n.escalates, n.certain, n.needs_mfa order by len(n.actions), n.path_ids, n.first_target) = 1
),
best as (
    select *
    from routes
    where escalates
    qualify row_number() over (partition by principal_arn order by certain desc, needs_mfa, len(words), path_ids) = 1
),
granted as (
    select principal_arn, any_value(first_target order by len(words)) as role_arn
    from routes
    where not escalates and certain = 1
    group by principal_arn
)
select
    p.account_id,
    'global' as region,
    p.principal_arn as resource_arn,
    case when b.certain = 1 then true when b.certain = 0 or p.is_admin is null then null else false end as failed,
    case
        when b.certain = 1 then
            'administrator in ' || len(b.words) || case when len(b.words) = 1 then ' step' else ' steps' end || case when b.needs_mfa then ' with MFA' else '' end
            || ': ' || array_to_string(b.words, ' -> ') || case when len(b.conditions) > 0 then '; depends on ' || some_of(list_sort(list_distinct(b.conditions))) else '' end
        when b.certain = 0 then 'whether it becomes administrator by ' || array_to_string(b.words, ' -> ') || ' is not known'
        when p.is_admin is null then 'what it may do is not known: ' || coalesce(nullif(some_of(p.unread), ''), 'a policy') || ' could not be read'
        when g.principal_arn is not null then 'becomes administrator only by roles that it was given, such as ' || principal_label(g.role_arn)
        else 'no known way leads from it to an administrator'
    end as reason,
    {'paths': b.path_ids, 'actions': list_distinct(b.actions), 'steps': b.words, 'conditions': list_sort(list_distinct(b.conditions)), 'mfa': b.needs_mfa} as evidence
from principal_classes as p
left join best as b on b.principal_arn = p.principal_arn
left join granted as g on g.principal_arn = p.principal_arn
where p.is_admin is distinct from true and not coalesce(p.service_linked, false)
