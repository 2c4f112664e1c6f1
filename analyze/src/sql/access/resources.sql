-- Resources, each with what tells it from others in a policy. Where the policy of a resource could not be asked or is no JSON,
-- `has_policy` is true and there is no document.
with policies as (
    select account_id, arn, policy, has_policy from resource_policies
    union all by name
    select account_id, arn, policy, has_policy from aws_s3_bucket
)
select
    r.account_id, r.region, r.arn, r.resource_type, to_json(r.tags)::varchar as tags,
    coalesce(p.has_policy, p.arn is not null) as has_policy,
    case when p.has_policy then as_document(p.policy)::varchar end as policy
from resources as r
left join policies as p on p.account_id = r.account_id and p.arn = r.arn
where r.arn is not null and r.account_id is not null
order by r.account_id, r.arn, r.resource_type
