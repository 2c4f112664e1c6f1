/*
title = "Nobody lets others call a function"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Remove the permission, or name who needs it: a source, an account, an organization. A function URL can ask for signed requests."
command = "aws lambda {operation} --region {region} --function-name {function_name} {option}"
links = ["https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html", "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"]
*/
-- Names of Lambda's events end with a version of the API: AddPermission20150331v2.
with calls as (
    select
        *,
        regexp_replace(request_parameters ->> '$.functionName', '^(arn:[^:]*:lambda:[^:]*:[^:]*:function:)?([^:]*).*$', '\2') as function_name,
        request_parameters ->> '$.statementId' as statement,
        starts_with(event_name, 'AddPermission') as is_permission,
        -- The request of a denied call may not be recorded: for whom it was is not known then.
        denied and request_parameters is null as untold,
        case
            when not starts_with(event_name, 'AddPermission') then case when request_parameters ->> '$.authType' = 'NONE' then '*' end
            else request_parameters ->> '$.principal'
        end as grantee,
        -- Whom a condition leaves over; a bucket's ARN has no account, and its name is unique.
        request_parameters ->> '$.principalOrgID' is not null
            or coalesce(regexp_full_match(request_parameters ->> '$.sourceAccount', '[0-9]{12}'), false)
            or coalesce(regexp_matches(request_parameters ->> '$.sourceArn', '^arn:[^:]*:[^:]*:[^:]*:[0-9]{12}:|^arn:[^:*?]+:s3:::[^*?]+$'), false) as is_limited
    from events
    where event_source = 'lambda.amazonaws.com'
        and event_name in (values
            ('AddPermission'), ('AddPermission20150331'), ('AddPermission20150331v2'),
            ('CreateFunctionUrlConfig'), ('CreateFunctionUrlConfig20211031'), ('UpdateFunctionUrlConfig'), ('UpdateFunctionUrlConfig20211031')
        )
        and deliberate and (succeeded or denied)
),
opened as (
    select
        * exclude (grantee),
        case when untold then 'somebody' when grantee = '*' then 'everyone' else 'account ' || grantee_account_id end as grantee,
        case
            when untold then coalesce(nullif(regexp_extract(denied_resource, '^arn:[^:]*:lambda:[^:]*:[^:]*:function:[^:]+'), ''), principal)
            else 'arn:' || arn_partition(principal) || ':lambda:' || region || ':' || account_id || ':function:' || function_name
        end as arn
    from (select *, nullif(regexp_extract(grantee, '^(arn:[^:]*:[^:]*:[^:]*:)?([0-9]{12})(:|$)', 2), '') as grantee_account_id from calls)
    where case
        when untold then true
        when grantee = '*' then not (is_permission and is_limited)
        else grantee_account_id <> account_id and grantee_account_id not in (select account_id from accounts union all select account_id from config_trusted_accounts where account_id is not null)
    end
    -- Deployments remove a permission and add it again: the first time counts.
    qualify row_number() over (partition by account_id, region, coalesce(function_name, arn), grantee, principal, succeeded order by event_time, event_id) = 1
)
select
    account_id,
    region,
    arn as resource_arn,
    principal as discriminator,
    true as failed,
    case when bool_and(not succeeded) then 'low' when bool_and(grantee <> 'everyone' or not succeeded) then 'medium' end as severity,
    case when arn = principal then 'a function' else 'the function ' || coalesce(any_value(function_name), arn_tail(arn)) end || case when bool_or(succeeded) then ' may be called by ' else ' was to be open to ' end || array_to_string(list_sort(list(distinct grantee))[:5], ', ')
        || case when bool_or(not is_permission) then ' through a URL' else '' end || '; changed ' || traced(call) as reason,
    {
        'trace': trace(call), 'function_name': any_value(function_name), 'grantees': list_sort(list(distinct grantee)), 'statements': list_sort(list(distinct statement)),
        'operation': case when bool_or(not is_permission) then 'update-function-url-config' else 'remove-permission' end,
        'option': case when bool_or(not is_permission) then '--auth-type=AWS_IAM' else '--statement-id=' || min(statement) end
    } as evidence
from opened
where arn is not null and principal is not null
group by account_id, region, arn, principal
having bool_or(judged)
