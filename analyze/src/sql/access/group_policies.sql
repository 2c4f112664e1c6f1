-- The policies of groups, named as their members have them: a null document could not be read.
select account_id, principal_arn, coalesce(policy_arn, principal_arn || '/' || policy_name) as policy, document::varchar as document
from attached_policies
where principal_kind = 'group' and coalesce(policy_arn, policy_name) is not null
order by account_id, principal_arn, policy
