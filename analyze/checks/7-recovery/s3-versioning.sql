/*
title = "Critical buckets keep versions"
severity = "medium"
tables = ["aws_s3_bucket"]
operations = ["GetBucketVersioning", "GetBucketReplication"]
remediation = "Switch on versioning, with a lifecycle rule that removes old versions after a while."
command = "aws s3api put-bucket-versioning --bucket {bucket} --versioning-configuration Status=Enabled"
*/
select
    x.account_id,
    x.region,
    x.arn as resource_arn,
    x.versioning_status <> 'Enabled' and not x.replication_enabled as failed,
    case when x.versioning_status <> 'Enabled' and not x.replication_enabled then 'neither versions nor a copy' when not (x.versioning_status <> 'Enabled' and not x.replication_enabled) then 'versioning ' || lower(x.versioning_status) end as reason,
    {'bucket': x.bucket_name, 'versioning': x.versioning_status, 'replication': x.replication_enabled} as evidence
from aws_s3_bucket as x
join resource_context as c on c.account_id = x.account_id and c.arn = x.arn
join config_importance as i on i.level = c.importance and i.critical
