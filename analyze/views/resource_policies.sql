-- One row per resource that can have a policy of its own, with the policy as it came. `has_policy` is null where it could not
-- be asked. Buckets and roles are left out: their policies are in `aws_s3_bucket` and `aws_iam_role`.
-- A key always has a policy, a topic too.
select account_id, region, arn, 'kms' as service, policy, case when policy is not null then true end as has_policy, key_id as name
from aws_kms_key
where key_manager is distinct from 'AWS' and coalesce(key_state, 'Enabled') not in ('PendingDeletion', 'PendingReplicaDeletion')
union all
select account_id, region, arn, 'sns', policy, case when policy is not null then true end, arn
from aws_sns_topic
union all
select account_id, region, arn, 'sqs', policy, case when policy is not null then true when config ->> '$.QueueAttributes' is not null then false end, queue_url
from aws_sqs_queue
union all
select account_id, region, arn, 'secretsmanager', policy, case when policy is not null then true when config ->> '$.Policy' is not null then false end, arn
from aws_secretsmanager_secret
where deleted_at is null
union all
select account_id, region, arn, 'lambda', policy, has_policy, arn
from aws_lambda_function
union all
select account_id, region, arn, 'ecr', policy, has_policy, repository_name
from aws_ecr_repository
union all
select account_id, region, arn, 'dynamodb', policy, has_policy, arn
from aws_dynamodb_table
union all
select account_id, region, arn, 'backup', access_policy, has_access_policy, backup_vault_name
from aws_backup_vault
union all
select account_id, region, arn, 'efs', policy, has_policy, file_system_id
from aws_efs_file_system
union all
select account_id, region, arn, 'opensearch', access_policies, case when access_policies is not null then true when config ->> '$.Description' is not null then false end, domain_name
from aws_opensearch_domain
where deleted is distinct from true
