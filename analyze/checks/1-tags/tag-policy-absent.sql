/*
title = "The organization says how its accounts tag"
severity = "low"
tables = ["aws_organizations_organization", "aws_organizations_root", "aws_organizations_tag_policy", "aws_organizations_account"]
operations = ["DescribeOrganization", "ListRoots", "ListPolicies", "DescribePolicy", "ListTargetsForPolicy", "ListAccounts"]
absence = true
remediation = "Enable tag policies, write down the keys and values that every account must use, and attach the policy to the root."
command = "aws organizations attach-policy --policy-id ... --target-id {root_id}"
links = ["https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_tag-policies.html"]
*/
with policies as (
    select
        account_id, policy_name, target_ids,
        -- A policy without a key asks for nothing.
        case when json_type(as_document(content)) = 'OBJECT' then coalesce(len(json_keys(as_document(content), '$.tags')), 0) > 0 end as says_something
    from aws_organizations_tag_policy
),
roots as (
    select account_id, min(root_id) as root_id, bool_or(list_contains(enabled_policy_types, 'TAG_POLICY')) as enabled
    from aws_organizations_root
    group by account_id
),
attached as (
    select p.account_id, p.policy_name, p.says_something, unnest(p.target_ids) as target_id
    from policies as p
    where p.says_something is distinct from false
),
-- A path names the root and the units above an account: `o-1/r-1/ou-1/111122223333/`.
members as (
    select account_id, member_account_id, unnest(list_append(flatten(list_transform(coalesce(paths, []), lambda path: string_split(path, '/'))), member_account_id)) as target_id
    from aws_organizations_account
    where coalesce(state, status, 'ACTIVE') = 'ACTIVE'
),
reached as (
    select
        m.account_id, m.member_account_id,
        bool_or(coalesce(a.says_something, false)) as reached,
        bool_or(a.target_id is not null and a.says_something is null) as unread
    from members as m
    left join attached as a on a.account_id = m.account_id and a.target_id = m.target_id
    group by m.account_id, m.member_account_id
),
by_organization as (
    select account_id, count(*) as members, count(*) filter (where reached) as reached, count(*) filter (where not reached and unread) as unread
    from reached
    group by account_id
),
whole as (
    select
        a.account_id,
        bool_or(coalesce(a.target_id = r.root_id and a.says_something, false)) as on_root,
        count(*) filter (where a.says_something) as attachments,
        bool_or(a.says_something is null) as unread
    from attached as a
    left join roots as r on r.account_id = a.account_id
    group by a.account_id
),
unattached as (
    select account_id, bool_or(target_ids is null and says_something is distinct from false) as unread
    from policies
    group by account_id
),
judged as (
    select
        o.account_id, o.feature_set, r.root_id, r.enabled, w.on_root, coalesce(w.attachments, 0) as attachments,
        b.members, b.reached,
        coalesce(w.unread, false) or coalesce(u.unread, false) or coalesce(b.unread, 0) > 0 as unread
    from aws_organizations_organization as o
    left join roots as r on r.account_id = o.account_id
    left join whole as w on w.account_id = o.account_id
    left join unattached as u on u.account_id = o.account_id
    left join by_organization as b on b.account_id = o.account_id
)
select
    j.account_id,
    'global' as region,
    a.arn as resource_arn,
    case
        when j.feature_set = 'CONSOLIDATED_BILLING' then true
        when j.enabled is null then null
        when not j.enabled then true
        when j.on_root or j.reached = j.members then false
        when j.unread then null
        else true
    end as failed,
    case
        when j.feature_set = 'CONSOLIDATED_BILLING' then 'the organization only shares bills, without policies'
        when j.enabled is null then 'the root of the organization is not known'
        when not j.enabled then 'tag policies are not enabled'
        when j.on_root or j.reached = j.members then 'a tag policy applies to every account'
        when j.unread then 'the text or the targets of its tag policies are not known'
        when j.attachments > 0 and j.members > 0 then 'tag policies reach ' || j.reached || ' of ' || j.members || ' accounts'
        when j.attachments > 0 then 'no tag policy is attached to the root'
        else 'there is no tag policy in force'
    end as reason,
    {'root_id': j.root_id, 'accounts': j.members, 'reached': j.reached} as evidence
from judged as j
join accounts as a on a.account_id = j.account_id
