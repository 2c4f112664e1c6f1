/*
title = "Nobody lets certificates of strangers assume roles"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Ask whose certificate authority it is. If nobody knows, disable the trust anchor: whoever holds the authority's key makes credentials for every role that Roles Anywhere may assume."
command = "aws rolesanywhere disable-trust-anchor --region {region} --trust-anchor-id {trust_anchor_id}"
links = ["https://docs.aws.amazon.com/rolesanywhere/latest/userguide/getting-started.html"]
*/
-- An anchor says whose certificates count, a profile which roles they get. An authority of the own (AWS Private CA) is less
-- of a stranger than a certificate that somebody brings.
with calls as (
    select
        *,
        event_name like '%TrustAnchor' as is_anchor,
        coalesce(response_elements ->> '$.trustAnchor.source.sourceType', request_parameters ->> '$.source.sourceType') as source_type,
        coalesce(
            response_elements ->> '$.trustAnchor.trustAnchorArn', response_elements ->> '$.profile.profileArn',
            'arn:' || arn_partition(principal) || ':rolesanywhere:' || region || ':' || account_id || ':trust-anchor/' || (request_parameters ->> '$.trustAnchorId'),
            'arn:' || arn_partition(principal) || ':rolesanywhere:' || region || ':' || account_id || ':profile/' || (request_parameters ->> '$.profileId'),
            case when denied_resource like 'arn:%' then denied_resource end,
            principal
        ) as arn,
        coalesce(response_elements ->> '$.trustAnchor.name', response_elements ->> '$.profile.name', request_parameters ->> '$.name') as name
    from events
    where event_source = 'rolesanywhere.amazonaws.com' and event_name in (values ('CreateTrustAnchor'), ('UpdateTrustAnchor'), ('EnableTrustAnchor'), ('CreateProfile'), ('UpdateProfile'), ('EnableProfile'))
        and deliberate and (succeeded or denied)
)
select
    account_id,
    region,
    arn as resource_arn,
    principal as discriminator,
    true as failed,
    case when not is_anchor or not bool_or(succeeded) or bool_and(source_type is not distinct from 'AWS_ACM_PCA') then 'medium' else 'high' end as severity,
    case when is_anchor then 'the trust anchor ' else 'the profile ' end || coalesce(min(name), arn_tail(arn))
        || case when bool_or(succeeded) then ' was ' else ' was to be ' end || array_to_string(list_sort(list(distinct case
            when event_name like 'Create%' then 'created' when event_name like 'Update%' then 'changed' else 'enabled'
        end)), ', ') || ': ' || traced(call) as reason,
    {
        'trace': trace(call), 'trust_anchor_id': min(case when is_anchor then arn_tail(arn) end), 'source_type': min(source_type),
        'role_arns': min(request_parameters ->> '$.roleArns')
    } as evidence
from calls
where arn is not null
group by account_id, region, arn, principal, is_anchor
having bool_or(judged)
