/*
title = "Databases survive the loss of a zone"
severity = "medium"
tables = ["aws_rds_db_instance"]
frameworks = { "cis_v5.0" = ["2.2.4"], fsbp = ["RDS.5"] }
remediation = "Switch on Multi-AZ."
command = "aws rds modify-db-instance --region {region} --db-instance-identifier {db_instance_identifier} --multi-az --apply-immediately"
*/
select
    x.account_id,
    x.region,
    x.arn as resource_arn,
    not x.multi_az as failed,
    case when not x.multi_az then 'it runs in a single zone' when not (not x.multi_az) then 'it has a standby in another zone' end as reason,
    {'db_instance_identifier': x.db_instance_identifier, 'zone': x.availability_zone} as evidence,
    case when i.critical then 'high' end as severity
from aws_rds_db_instance as x
left join resource_context as c on c.account_id = x.account_id and c.arn = x.arn
left join config_importance as i on i.level = c.importance
where x.db_cluster_identifier is null and x.read_replica_source is null
