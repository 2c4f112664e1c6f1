/*
title = "Nobody shares an image with others"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Take the permission back, change the secrets that the image holds, and name accounts of yours under accounts.trusted. Block public sharing of images in the region."
command = "aws ec2 modify-image-attribute --region {region} --image-id {image_id} --launch-permission {permission}"
links = ["https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sharingamis-explicit.html"]
*/
with added as (
    select
        *,
        request_parameters ->> '$.imageId' as image_id,
        -- The request of a denied call may not be recorded; the attribute is there to share.
        denied and request_parameters is null as untold,
        unnest(case when untold then [null::json] else as_objects(request_parameters -> '$.launchPermission.add.items') end) as item
    from events
    where event_source = 'ec2.amazonaws.com' and event_name = 'ModifyImageAttribute'
        and deliberate and (succeeded or denied)
),
named as (
    select
        * exclude (item),
        case
            when item ->> '$.group' is not null then 'Group=' || (item ->> '$.group')
            when item ->> '$.userId' is not null then 'UserId=' || (item ->> '$.userId')
            when item ->> '$.organizationArn' is not null then 'OrganizationArn=' || (item ->> '$.organizationArn')
            when item ->> '$.organizationalUnitArn' is not null then 'OrganizationalUnitArn=' || (item ->> '$.organizationalUnitArn')
        end as grantee,
        -- Of an organization, the account that manages it.
        coalesce(item ->> '$.userId', split_part(coalesce(item ->> '$.organizationArn', item ->> '$.organizationalUnitArn'), ':', 5)) as grantee_account_id
    from added
),
shared as (
    select
        *,
        case
            when untold then coalesce(nullif(regexp_extract(denied_resource, '^arn:[^:]*:ec2:.*:image/.+$'), ''), principal)
            else 'arn:' || arn_partition(principal) || ':ec2:' || region || '::image/' || image_id
        end as arn
    from named
    where untold
        or grantee is not null and grantee_account_id is distinct from account_id
            and coalesce(grantee_account_id not in (select account_id from accounts union all select account_id from config_trusted_accounts where account_id is not null), true)
)
select
    account_id,
    region,
    arn as resource_arn,
    principal as discriminator,
    true as failed,
    case
        when bool_and(untold) then 'low'
        when bool_and(not succeeded) then 'medium'
        when bool_or(starts_with(grantee, 'Group=') and succeeded) then 'critical'
        -- The organization may be one's own, whose managing account was not collected.
        when bool_and(starts_with(grantee, 'Organization') or not succeeded) then 'medium'
    end as severity,
    case when bool_or(succeeded) then 'shared with ' else 'was to be shared with ' end
        || array_to_string(list_sort(list(distinct case
            when untold then 'somebody'
            when starts_with(grantee, 'Group=') then 'everyone'
            when starts_with(grantee, 'UserId=') then 'account ' || grantee_account_id
            else arn_tail(grantee)
        end))[:5], ', ') || ' ' || traced(call) as reason,
    {'trace': trace(call), 'image_id': any_value(image_id), 'permission': 'Remove=[{' || min(grantee) || '}]', 'grantees': list_sort(list(distinct grantee) filter (where not untold))} as evidence
from shared
where arn is not null and principal is not null
group by account_id, region, arn, principal
having bool_or(judged)
