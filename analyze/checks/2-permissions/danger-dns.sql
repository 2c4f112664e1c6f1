/*
title = "Critical names change by special roles only"
severity = "high"
tables = ["aws_iam_user", "aws_iam_role", "aws_iam_group", "aws_iam_policy", "aws_route53_hosted_zone", "aws_route53domains_domain"]
remediation = "A condition on the zone's tags does not help: no action of Route 53 knows them. Allow these actions on the zone's ARN, only to a special role (permissions.special_roles in the configuration) whose trust policy asks for MFA. Let record sets that change by themselves live in a zone of their own, or narrow them with route53:ChangeResourceRecordSetsNormalizedRecordNames."
command = "aws iam list-entities-for-policy --policy-arn {policy_arn}"
links = ["https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-conditions-route53.html"]
*/
-- Whoever deletes a zone, its record sets or its delegation takes down all that has a name in it. Administrators are left out as
-- long as they need MFA.
with actors as (
    select
        resource_class, actor_arn, actor_kind, acting_arn, mfa, is_admin, verdict <> 'unknown' as is_certain, action,
        -- By the statements, those of policies that can be detached.
        list_filter(list_transform(statements, lambda statement: regexp_replace(statement, '#[0-9]+$', '')), lambda policy: contains(policy, ':policy/')) as policies
    from class_dangers
    where resource_type in ('route53:hostedzone', 'route53domains:domain') and kind = 'destroy'
        and not is_special_role(holder_arn)
        and (is_admin is distinct from true or mfa <> 'required' and actor_kind in ('user', 'foreign', 'anyone'))
),
classes as (
    select
        resource_class,
        list_sort(list(distinct actor_label(acting_arn)) filter (where is_certain and is_admin is distinct from true)) as certain,
        list_sort(list(distinct actor_label(acting_arn)) filter (where is_certain and is_admin)) as administrators,
        list_sort(list(distinct actor_label(acting_arn)) filter (where not is_certain)) as uncertain,
        bool_or(mfa <> 'required' and is_certain and actor_kind in ('user', 'foreign', 'anyone')) as without_mfa,
        list_sort(list(distinct action) filter (where is_certain)) as actions,
        list_sort(list_distinct(flatten(list(policies) filter (where is_certain)))) as policies
    from actors
    group by resource_class
),
judged as (
    select
        r.account_id, r.region, r.arn, r.name, r.importance, c.* exclude (resource_class),
        coalesce(len(c.certain), 0) + coalesce(len(c.administrators), 0) as people
    from critical_resources as r
    left join classes as c on c.resource_class = r.resource_class
    where r.resource_type in ('route53:hostedzone', 'route53domains:domain')
)
select
    account_id,
    region,
    arn as resource_arn,
    case when people > 0 then true when len(uncertain) > 0 then null else false end as failed,
    case
        when people > 0 then
            some_of(list_concat(coalesce(certain, []), list_transform(coalesce(administrators, []), lambda who: who || ' (administrator)')))
            || ' may change or delete it outside the special roles' || case when without_mfa and people = 1 then ', without MFA' when without_mfa then ', some of them without MFA' else '' end || ': ' || some_of(actions)
        when len(uncertain) > 0 then 'whether ' || some_of(uncertain) || ' may change or delete it is not known'
        else 'only special roles and administrators with MFA may change or delete it'
    end as reason,
    {'actors': certain[:50], 'administrators': administrators[:50], 'not_known': uncertain[:50], 'without_mfa': without_mfa, 'actions': actions, 'policies': policies[:50], 'policy_arn': policies[1], 'importance': importance} as evidence
from judged
