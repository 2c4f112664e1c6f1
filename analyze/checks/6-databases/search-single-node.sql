/*
title = "Search domains survive the loss of a node"
severity = "medium"
tables = ["aws_opensearch_domain"]
frameworks = { fsbp = ["Opensearch.6"] }
remediation = "Run three data nodes in three zones."
command = "aws opensearch update-domain-config --region {region} --domain-name {domain_name} --cluster-config InstanceCount=3,ZoneAwarenessEnabled=true"
*/
select
    account_id,
    region,
    arn as resource_arn,
    instance_count < 3 as failed,
    case when instance_count < 3 then 'only ' || instance_count || ' data nodes' when not (instance_count < 3) then instance_count || ' data nodes' end as reason,
    {'domain_name': domain_name, 'instance_count': instance_count} as evidence
from aws_opensearch_domain
where not coalesce(deleted, false)
