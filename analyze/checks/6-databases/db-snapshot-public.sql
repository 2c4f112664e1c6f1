/*
title = "No database snapshot is shared with everyone"
severity = "critical"
tables = ["aws_rds_db_snapshot"]
frameworks = { fsbp = ["RDS.1"] }
remediation = "Take the permission away, and treat what is in the snapshot as published."
command = "aws rds modify-db-snapshot-attribute --region {region} --db-snapshot-identifier {db_snapshot_identifier} --attribute-name restore --values-to-remove all"
*/
select
    account_id,
    region,
    arn as resource_arn,
    public as failed,
    case when public then 'shared with all AWS accounts' when not (public) then 'not shared with everyone' end as reason,
    {'db_snapshot_identifier': db_snapshot_identifier} as evidence
from aws_rds_db_snapshot
where snapshot_type is distinct from 'automated'
