/*
title = "No warehouse has a public address"
severity = "critical"
tables = ["aws_redshift_cluster"]
frameworks = { fsbp = ["Redshift.1"] }
remediation = "Take the public address away, and let clients in through the VPC."
command = "aws redshift modify-cluster --region {region} --cluster-identifier {cluster_identifier} --no-publicly-accessible"
*/
select
    account_id,
    region,
    arn as resource_arn,
    publicly_accessible as failed,
    case when publicly_accessible then 'publicly accessible' when not (publicly_accessible) then 'not publicly accessible' end as reason,
    {'cluster_identifier': cluster_identifier} as evidence
from aws_redshift_cluster
