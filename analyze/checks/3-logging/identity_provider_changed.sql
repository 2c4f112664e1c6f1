/*
title = "Nobody adds an identity provider"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Ask whose provider it is. If nobody knows, delete it, and look for roles that trust it: whoever runs a provider says who everybody is."
command = "aws iam list-open-id-connect-providers"
links = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers.html"]
*/
-- What adds trust: providers of IAM, the source of Identity Center's users. Taking one away does not. An OpenID provider of an
-- EKS cluster comes with every cluster, and known automation makes providers too: both are told with less weight.
with calls as (
    select
        *,
        coalesce(
            response_elements ->> '$.sAMLProviderArn', response_elements ->> '$.openIDConnectProviderArn',
            request_parameters ->> '$.sAMLProviderArn', request_parameters ->> '$.openIDConnectProviderArn',
            'arn:' || arn_partition(principal) || ':iam::' || account_id || ':oidc-provider/' || regexp_replace(request_parameters ->> '$.url', '^https://', ''),
            'arn:' || arn_partition(principal) || ':iam::' || account_id || ':saml-provider/' || case when event_name = 'CreateSAMLProvider' then request_parameters ->> '$.name' end,
            case when denied_resource like 'arn:%' then denied_resource end,
            principal
        ) as arn
    from events
    where event_source in (values ('iam.amazonaws.com'), ('sso.amazonaws.com'), ('sso-directory.amazonaws.com'))
        and event_name in (values
            ('CreateSAMLProvider'), ('UpdateSAMLProvider'), ('CreateOpenIDConnectProvider'), ('AddClientIDToOpenIDConnectProvider'), ('UpdateOpenIDConnectProviderThumbprint'),
            ('AssociateDirectory'), ('CreateExternalIdPConfigurationForDirectory'), ('UpdateExternalIdPConfigurationForDirectory'), ('EnableExternalIdPConfigurationForDirectory'), ('ImportExternalIdPCertificate')
        )
        and deliberate and (succeeded or denied)
)
select
    account_id,
    'global' as region,
    arn as resource_arn,
    principal as discriminator,
    true as failed,
    case
        when not bool_or(succeeded) then 'medium'
        when is_automation(principal) or regexp_matches(arn, ':oidc-provider/oidc\.eks\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/id/[A-Z0-9]+$') then 'medium'
        else 'high'
    end as severity,
    array_to_string(list_sort(list(distinct case
        when event_name like 'Create%Provider' then 'an identity provider was added'
        when event_source = 'iam.amazonaws.com' then 'what it accepts was changed'
        else 'the source of Identity Center''s users was changed'
    end)), ', ') || case when bool_or(succeeded) then ': ' else ', or was to be: ' end || traced(call) as reason,
    {'trace': trace(call), 'operations': list_sort(list(distinct event_name))} as evidence
from calls
where arn is not null
group by account_id, arn, principal
having bool_or(judged)
