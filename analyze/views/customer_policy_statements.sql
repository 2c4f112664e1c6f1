-- One row per statement of a managed policy of this account.
with policies as (
    select account_id, region, arn, policy_name, attachment_count, as_document(document) as document
    from aws_iam_policy
    where is_aws_managed is distinct from true
)
select
    account_id, region, arn, policy_name,
    statement ->> '$.Effect' as effect,
    as_list(statement -> '$.Action') as actions,
    as_list(statement -> '$.NotAction') as not_actions,
    as_list(statement -> '$.Resource') as resources,
    as_list(statement -> '$.NotResource') as not_resources,
    statement -> '$.Condition' as condition
from (select * exclude (document), unnest(as_objects(document -> '$.Statement')) as statement from policies)
