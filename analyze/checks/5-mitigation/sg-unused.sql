/*
title = "Security groups that nothing uses are deleted"
severity = "low"
tables = ["aws_ec2_security_group", "relationships"]
frameworks = { fsbp = ["EC2.22"] }
remediation = "Delete it, so that nobody attaches its old rules again; first take it out of other groups' rules."
command = "aws ec2 delete-security-group --region {region} --group-id {group_id}"
*/
-- Interfaces carry the groups of whatever runs. What has none while it is idle, or starts later, names its groups itself.
with users (table_name, operation) as (
    values
        ('aws_ec2_network_interface', null), ('aws_ec2_instance', null), ('aws_ec2_launch_template', 'DescribeLaunchTemplateVersions'),
        ('aws_autoscaling_launch_configuration', null), ('aws_lambda_function', null), ('aws_ecs_service', 'DescribeServices'),
        ('aws_events_rule', 'ListTargetsByRule'), ('aws_codebuild_project', 'BatchGetProjects'), ('aws_glue_connection', null),
        ('aws_dms_replication_instance', null), ('aws_eks_cluster', 'DescribeCluster'), ('aws_opensearch_domain', 'DescribeDomains'),
        ('aws_rds_db_instance', null), ('aws_rds_db_cluster', null), ('aws_redshift_cluster', null), ('aws_elasticache_cluster', null),
        ('aws_elb_load_balancer', null), ('aws_elbv2_load_balancer', null), ('aws_ec2_vpc_endpoint', null)
),
-- Where one of them could not be listed, or asked for its groups, a group may be in use.
unreadable as (
    select g.account_id, g.region, string_agg(distinct coalesce(g.table_name, 'a call') || ': ' || g.why, '; ' order by coalesce(g.table_name, 'a call') || ': ' || g.why) as why
    from gaps as g
    left join users as u on u.table_name = g.table_name
    where g.table_name is null or u.table_name is not null and (g.resource_arn is null or g.operation = u.operation)
    group by g.account_id, g.region
),
used_ids as (
    select distinct to_id as group_id
    from relationships
    where kind = 'has_security_group' and starts_with(to_id, 'sg-')
),
-- In a default VPC a launch template may name its groups by their names.
used_names as (
    select distinct account_id, region, to_id as group_name
    from relationships
    where kind = 'has_security_group' and not starts_with(to_id, 'sg-')
),
groups as (
    select g.account_id, g.region, g.arn, g.group_id, g.group_name, g.vpc_id, g.is_default, g.referenced_group_ids, i.group_id is not null or n.group_name is not null as attached
    from aws_ec2_security_group as g
    left join used_ids as i on i.group_id = g.group_id
    left join used_names as n on n.account_id = g.account_id and n.region = g.region and n.group_name = g.group_name
    -- A group that another account shares is the other account's to delete.
    where coalesce(g.owner_id, g.account_id) = g.account_id
),
-- A rule of a group in use lets in, or out to, whatever joins this group. Unused groups that name each other keep none.
referenced as (
    select distinct unnest(referenced_group_ids) as group_id
    from groups
    where attached
)
select
    g.account_id,
    g.region,
    g.arn as resource_arn,
    case
        when g.attached or r.group_id is not null then false
        when g.is_default is null or g.group_id is null or here.why is not null or everywhere.why is not null then null
        else true
    end as failed,
    case
        when g.attached then 'in use'
        when r.group_id is not null then 'named in the rules of a group that is in use'
        when here.why is not null or everywhere.why is not null then 'not seen in use, but not known: ' || concat_ws('; ', here.why, everywhere.why)
        when g.is_default is null or g.group_id is null then 'its name is not known'
        else 'nothing in the run uses it'
    end as reason,
    {'group_id': g.group_id, 'group_name': g.group_name, 'vpc_id': g.vpc_id} as evidence
from groups as g
left join referenced as r on r.group_id = g.group_id
left join unreadable as here on here.account_id = g.account_id and here.region = g.region
left join unreadable as everywhere on everywhere.account_id = g.account_id and everywhere.region = 'global'
-- Default groups can't be deleted.
where g.is_default is distinct from true
