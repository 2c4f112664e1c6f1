/*
title = "Nobody lets strangers assume a role"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Ask whose account it is. If nobody knows, take it out of the trust policy and end the role's sessions; if it is a partner's, demand an external id and name the account under accounts.trusted."
command = "aws iam get-role --role-name {role_name} --query Role.AssumeRolePolicyDocument"
links = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-user_externalid.html"]
*/
-- Whom a role trusts, call by call. Who was trusted before the call is nothing new, and accounts of the own are no strangers.
with policies as (
    select account_id, event_id, event_time, principal, target_name, target_arn, document, succeeded, judged, call,
        event_name = 'UpdateAssumeRolePolicy' and denied and request_parameters is null as untold
    from iam_calls
    where event_source = 'iam.amazonaws.com' and event_name in (values ('CreateRole'), ('UpdateAssumeRolePolicy')) and target_kind = 'role'
        and deliberate and (succeeded or denied)
),
own_accounts as (
    select account_id from accounts
    union
    select account_id from config_trusted_accounts
    union
    select tail from known_resources where resource_type = 'organizations:account'
),
statements as (
    select event_id, account_id, target_arn, unnest(as_objects(document -> '$.Statement')) as statement
    from policies
),
trusted as (
    select
        event_id, account_id, target_arn,
        -- Conditions that only the own organization, accounts, networks or principals satisfy.
        coalesce(regexp_matches(
            lower((statement -> '$.Condition')::varchar),
            '"(aws:principalorgid|aws:principalorgpaths|aws:principalaccount|aws:principalarn|aws:sourceaccount|aws:sourcearn|aws:sourcevpc|aws:sourcevpce|sts:externalid)"\s*:'
        ), false) as limited,
        unnest(case json_type(statement -> '$.Principal') when 'VARCHAR' then ['*'] else as_list(statement -> '$.Principal.AWS') end) as trustee
    from statements
    where statement ->> '$.Effect' = 'Allow'
),
strangers as (
    select t.event_id, list_sort(list(distinct t.stranger)) as names
    from (
        select
            event_id, account_id,
            case
                when trustee = '*' and not limited then 'everybody'
                when trustee <> '*' then coalesce(nullif(regexp_extract(trustee, '^arn:[^:]*:(?:iam|sts)::([0-9]{12}):', 1), ''), nullif(regexp_extract(trustee, '^[0-9]{12}$'), ''))
            end as stranger
        from trusted
    ) as t
    anti join own_accounts as o on o.account_id = t.stranger
    where t.stranger is not null and t.stranger <> t.account_id
    group by t.event_id
),
-- The policy that was in force before; what a denied call asked for never was.
history as (
    select
        p.* exclude (document),
        -- A denial does not tell whom a role was to trust; changing a trust policy is reason enough to ask.
        coalesce(s.names, case when p.untold then ['somebody'] end, []::varchar[]) as names,
        last_value(case when p.succeeded then coalesce(s.names, []::varchar[]) end ignore nulls) over (
            partition by p.account_id, p.target_arn order by p.event_time, p.event_id rows between unbounded preceding and 1 preceding
        ) as before
    from policies as p
    left join strangers as s on s.event_id = p.event_id
),
added as (
    select *, unnest(list_filter(names, lambda name: not list_contains(coalesce(before, []::varchar[]), name))) as stranger
    from history
)
select
    account_id,
    'global' as region,
    target_arn as resource_arn,
    principal as discriminator,
    true as failed,
    case
        when bool_and(untold) then 'low'
        when not bool_or(succeeded) then 'medium'
        when bool_or(succeeded and stranger = 'everybody') then 'critical'
        else 'high'
    end as severity,
    array_to_string(list_sort(list(distinct case when stranger in ('everybody', 'somebody') then stranger else 'account ' || stranger end)), ', ')
        || case when bool_or(succeeded) then ' may' else ' was to be let to' end || ' assume ' || principal_label(target_arn) || ': ' || traced(call) as reason,
    {'trace': trace(call), 'role_name': min(target_name), 'strangers': list_sort(list(distinct stranger))} as evidence
from added
group by account_id, target_arn, principal
having bool_or(judged)
