/*
title = "The master user has a name of its own"
severity = "medium"
tables = ["aws_rds_db_instance"]
frameworks = { fsbp = ["RDS.25"] }
remediation = "Make a new database with another master user when you next rebuild it; until then, use it for nothing."
*/
select
    account_id,
    region,
    arn as resource_arn,
    list_contains(['admin', 'administrator', 'postgres', 'root', 'sa', 'master', 'mysql', 'awsuser'], lower(master_username)) as failed,
    case when list_contains(['admin', 'administrator', 'postgres', 'root', 'sa', 'master', 'mysql', 'awsuser'], lower(master_username)) then 'its master user is called ' || master_username when not (list_contains(['admin', 'administrator', 'postgres', 'root', 'sa', 'master', 'mysql', 'awsuser'], lower(master_username))) then 'its master user has a name of its own' end as reason,
    {'db_instance_identifier': db_instance_identifier, 'master_username': master_username} as evidence
from aws_rds_db_instance
where db_cluster_identifier is null
