-- Resources, each with what tells it from others in a policy. Where the policy of a resource could not be asked or is no JSON,
-- `has_policy` is true and there is no document; also where the table that would tell of the policy is not whole.
with policies as (
    select account_id, arn, policy, has_policy from resource_policies
    union all by name
    select account_id, arn, policy, has_policy from aws_s3_bucket
),
policy_tables(resource_type, table_name) as (
    values
        ('backup:backup-vault', 'aws_backup_vault'),
        ('dynamodb:table', 'aws_dynamodb_table'),
        ('ecr:repository', 'aws_ecr_repository'),
        ('elasticfilesystem:file-system', 'aws_efs_file_system'),
        ('es:domain', 'aws_opensearch_domain'),
        ('kms:key', 'aws_kms_key'),
        ('lambda:function', 'aws_lambda_function'),
        ('s3:bucket', 'aws_s3_bucket'),
        ('secretsmanager:secret', 'aws_secretsmanager_secret'),
        ('sns:topic', 'aws_sns_topic'),
        ('sqs:queue', 'aws_sqs_queue')
),
-- Something of these is missing, in one region or in all.
not_whole as (
    select distinct t.resource_type, g.account_id, nullif(g.region, 'global') as region
    from gaps as g
    join policy_tables as t on g.table_name is null or g.table_name = t.table_name
    where g.resource_arn is null
)
select
    r.account_id, r.region, r.arn, r.resource_type, to_json(r.tags)::varchar as tags,
    coalesce(p.has_policy, p.arn is not null or n.account_id is not null) as has_policy,
    case when p.has_policy then as_document(p.policy)::varchar end as policy
from resources as r
left join policies as p on p.account_id = r.account_id and p.arn = r.arn
left join (select account_id, resource_type, list(region) as regions, bool_or(region is null) as anywhere from not_whole group by all) as n
    on n.account_id = r.account_id and n.resource_type = r.resource_type
    and (n.anywhere or r.region = 'global' or list_contains(n.regions, r.region))
where r.arn is not null and r.account_id is not null
order by r.account_id, r.arn, r.resource_type
