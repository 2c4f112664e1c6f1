/*
title = "Nobody may endanger critical resources without MFA"
severity = "high"
tables = ["aws_iam_user", "aws_iam_role", "aws_iam_group", "aws_iam_policy", "resources"]
remediation = "Take these actions out of what people always have, and put them into a role whose trust policy allows sts:AssumeRole only with \"Bool\": {\"aws:MultiFactorAuthPresent\": \"true\"}. A Deny must test BoolIfExists for false: with Bool alone, requests signed with access keys slip through, because they lack the key."
links = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html"]
*/
-- People are users, other accounts and everyone. By single sign-on they come with or without MFA, which AWS is not told; tokens of
-- machines and roles of services have nobody to ask. What can be read but not changed is less, and so is passing a role, which takes a service that
-- does something with it. Administrators stand under the
-- account, since each resource would say the same of them.
with actors as (
    select
        resource_class, actor_arn,
        bool_or(mfa = 'not_required') as is_open,
        bool_or(verdict <> 'unknown') and not contains(actor_arn, ':saml-provider/') as is_certain,
        bool_or(kind <> 'expose' and action <> 'iam:PassRole') as harms,
        list(distinct action) as actions
    from class_dangers
    where mfa <> 'required' and is_admin is distinct from true
        and (actor_kind in ('user', 'foreign', 'anyone') or contains(actor_arn, ':saml-provider/'))
    group by resource_class, actor_arn
),
classes as (
    select
        resource_class,
        case when bool_or(is_certain) then true end as failed,
        bool_or(is_certain and harms) as harms,
        list_sort(list(actor_label(actor_arn)) filter (where is_certain and is_open)) as without,
        list_sort(list(actor_label(actor_arn)) filter (where is_certain and not is_open)) as spared,
        list_sort(list(actor_label(actor_arn)) filter (where not is_certain)) as uncertain,
        list_sort(list_distinct(flatten(list(actions) filter (where is_certain)))) as actions
    from actors
    group by resource_class
),
administrators as (
    select
        account_id,
        list_sort(list(distinct actor_label(actor_arn)) filter (where is_admin)) as without,
        list_sort(list(distinct actor_label(actor_arn)) filter (where is_admin is null)) as uncertain
    from access_paths
    where mfa <> 'required' and is_admin is distinct from false and actor_kind in ('user', 'foreign', 'anyone')
    group by account_id
)
select
    r.account_id,
    r.region,
    r.arn as resource_arn,
    case when c.resource_class is null then false else c.failed end as failed,
    case when c.failed and not c.harms then 'medium' end as severity,
    case
        when c.resource_class is null then 'no person but administrators may endanger it without MFA'
        when c.failed then
            coalesce(some_of(c.without) || case when len(c.without) = 1 then ' needs no MFA for ' else ' need no MFA for ' end || some_of(c.actions), '')
            || case when len(c.without) > 0 and len(c.spared) > 0 then '; ' else '' end
            || coalesce(some_of(c.spared) || case when len(c.spared) = 1 then ' needs none' else ' need none' end || ' with access keys' || case when len(c.without) > 0 then '' else ', for ' || some_of(c.actions) end, '')
        else 'whether ' || some_of(c.uncertain) || ' may endanger it without MFA is not known'
    end as reason,
    {'without_mfa': c.without[:50], 'with_access_keys': c.spared[:50], 'not_known': c.uncertain[:50], 'actions': c.actions, 'importance': r.importance} as evidence
from critical_resources as r
left join classes as c on c.resource_class = r.resource_class
union all by name
select
    a.account_id,
    'global' as region,
    a.arn as resource_arn,
    case when len(d.without) > 0 then true when len(d.uncertain) > 0 then null else false end as failed,
    case
        when len(d.without) > 0 then some_of(d.without) || ' may do everything without MFA'
        when len(d.uncertain) > 0 then 'whether ' || some_of(d.uncertain) || ' may do everything without MFA is not known'
        else 'no administrator may do everything without MFA'
    end as reason,
    {'without_mfa': d.without[:50], 'not_known': d.uncertain[:50]} as evidence
from accounts as a
left join administrators as d on d.account_id = a.account_id
