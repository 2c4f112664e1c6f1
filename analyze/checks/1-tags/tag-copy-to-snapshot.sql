/*
title = "Snapshots of databases carry the tags of the database"
severity = "low"
tables = ["aws_rds_db_instance"]
frameworks = { fsbp = ["RDS.17"] }
remediation = "Switch on the copying of tags."
command = "aws rds modify-db-instance --region {region} --db-instance-identifier {db_instance_identifier} --copy-tags-to-snapshot"
*/
select
    account_id,
    region,
    arn as resource_arn,
    not copy_tags_to_snapshot as failed,
    case when not copy_tags_to_snapshot then 'tags are not copied to snapshots' when not (not copy_tags_to_snapshot) then 'tags are copied to snapshots' end as reason,
    {'db_instance_identifier': db_instance_identifier} as evidence
from aws_rds_db_instance
where db_cluster_identifier is null
