/*
title = "No database is reachable from the internet"
severity = "critical"
tables = ["aws_rds_db_instance", "aws_ec2_security_group"]
frameworks = { "cis_v3.0" = ["2.3.3"], "cis_v5.0" = ["2.2.3"], fsbp = ["RDS.2"] }
remediation = "Take the public address away, and let applications in through the VPC."
command = "aws rds modify-db-instance --region {region} --db-instance-identifier {db_instance_identifier} --no-publicly-accessible"
*/
with open_groups as (
    select account_id, region, group_id, string_agg(distinct ports || ' from ' || cidr, ', ' order by ports || ' from ' || cidr) as rules
    from world_ingress
    group by account_id, region, group_id
),
of_database as (
    select d.account_id, d.arn, string_agg(g.rules, ', ' order by g.rules) as rules
    from (select account_id, region, arn, unnest(security_group_ids) as group_id from aws_rds_db_instance) as d
    join open_groups as g on g.account_id = d.account_id and g.region = d.region and g.group_id = d.group_id
    group by d.account_id, d.arn
)
select
    d.account_id,
    d.region,
    d.arn as resource_arn,
    d.publicly_accessible as failed,
    case
        when d.publicly_accessible and o.rules is not null then 'publicly accessible, and its group lets in ' || o.rules
        when d.publicly_accessible then 'publicly accessible; only its security group stands before it'
        when not d.publicly_accessible then 'not publicly accessible'
    end as reason,
    {'db_instance_identifier': d.db_instance_identifier, 'rules': o.rules} as evidence,
    case when d.publicly_accessible and o.rules is null then 'high' end as severity
from aws_rds_db_instance as d
left join of_database as o on o.account_id = d.account_id and o.arn = d.arn
