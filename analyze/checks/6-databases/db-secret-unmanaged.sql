/*
title = "Secrets Manager keeps the passwords of master users"
severity = "medium"
tables = ["aws_rds_db_instance", "aws_rds_db_cluster"]
remediation = "Let RDS keep the password in Secrets Manager, which also rotates it; applications use users of their own."
command = "aws rds modify-{kind} --region {region} --{kind}-identifier {identifier} --manage-master-user-password --apply-immediately"
links = ["https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html"]
*/
-- Members have the master user of their cluster, replicas that of their source; Neptune has none.
with fleet as (
    select account_id, region, arn, 'db-instance' as kind, db_instance_identifier as identifier, master_user_secret_arn, master_user_secret_status
    from aws_rds_db_instance
    where db_cluster_identifier is null and read_replica_source is null and read_replica_source_cluster is null
    union all
    select account_id, region, arn, 'db-cluster', db_cluster_identifier, master_user_secret_arn, master_user_secret_status
    from aws_rds_db_cluster
    where engine is distinct from 'neptune' and coalesce(replication_source, '') = ''
)
select
    account_id,
    region,
    arn as resource_arn,
    master_user_secret_arn is null or coalesce(master_user_secret_status = 'impaired', false) as failed,
    case
        when master_user_secret_arn is null then 'the password of its master user is not kept by Secrets Manager'
        when master_user_secret_status = 'impaired' then 'its secret is impaired: RDS can neither read nor rotate it'
        else 'Secrets Manager keeps the password of its master user'
    end as reason,
    {'kind': kind, 'identifier': identifier, 'secret_arn': master_user_secret_arn, 'secret_status': master_user_secret_status} as evidence
from fleet
