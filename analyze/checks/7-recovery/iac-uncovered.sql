/*
title = "Infrastructure can be made again from its description"
severity = "medium"
tables = ["resources", "aws_cloudformation_stack_resource", "aws_ec2_vpc", "aws_ec2_subnet", "aws_ec2_security_group"]
absence = true
remediation = "Describe it in CloudFormation, Terraform or the like: import it into a stack, and let the tool tag what it makes."
links = ["https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources.html"]
*/
-- Judged are types that one writes into templates, without what AWS, a group or a service makes by itself. Described is what
-- carries a stack's tag or is listed as a resource of one, and what a tag says to be made by a tool. Where no resource of
-- an account is, the account stands for all of them.
with candidates as (
    select account_id, region, arn, service, resource_type, name, tags, arn_tail(arn) as tail
    from resources
    where resource_type in (
            'apigateway:apis', 'apigateway:restapis', 'autoscaling:autoScalingGroup', 'cloudfront:distribution', 'dynamodb:table', 'ec2:instance',
            'ec2:launch-template', 'ec2:natgateway', 'ec2:security-group', 'ec2:subnet', 'ec2:transit-gateway', 'ec2:vpc', 'ec2:vpc-endpoint', 'ec2:vpn-connection',
            'ecr:repository', 'ecs:cluster', 'ecs:service', 'eks:cluster', 'elasticache:cluster', 'elasticache:replicationgroup', 'elasticfilesystem:file-system',
            'elasticloadbalancing:loadbalancer', 'elasticloadbalancing:targetgroup', 'es:domain', 'events:rule', 'iam:policy', 'iam:role', 'kinesis:stream', 'kms:key',
            'lambda:function', 'rds:cluster', 'rds:db', 'redshift:cluster', 'route53:hostedzone', 's3:bucket', 'secretsmanager:secret', 'sns:topic', 'sqs:queue', 'states:stateMachine'
        )
        and arn not like '%:role/aws-service-role/%' and arn not like '%:role/aws-reserved/%' and arn not like '%:policy/aws-%'
        -- What a group starts or a service manages is described where the group or the service is.
        and not coalesce(list_has_any(map_keys(tags), ['aws:autoscaling:groupName', 'aws:eks:cluster-name', 'aws:ecs:clusterName', 'aws:secretsmanager:owningService', 'aws:backup:source-resource']), false)
),
-- Default networks and groups, and the keys of services, were there before.
defaults as (
    select account_id, arn from aws_ec2_vpc where is_default
    union all
    select account_id, arn from aws_ec2_subnet where default_for_az
    union all
    select account_id, arn from aws_ec2_security_group where is_default
),
own as materialized (
    select c.*
    from candidates as c
    anti join defaults as d on d.account_id = c.account_id and d.arn = c.arn
    left join resource_context as x on x.account_id = c.account_id and x.arn = c.arn
    where coalesce(x.taggable, true)
),
stacked as materialized (
    -- CloudFormation names most services as ARNs do.
    select distinct
        account_id, region, arn_tail(physical_resource_id) as tail,
        case lower(split_part(stack_resource_type, '::', 2))
            when 'efs' then 'elasticfilesystem' when 'elasticloadbalancingv2' then 'elasticloadbalancing' when 'opensearchservice' then 'es'
            when 'elasticsearch' then 'es' when 'stepfunctions' then 'states' when 'apigatewayv2' then 'apigateway'
            else lower(split_part(stack_resource_type, '::', 2))
        end as service
    from aws_cloudformation_stack_resource
    where physical_resource_id <> '' and coalesce(resource_status, '') not in ('DELETE_COMPLETE', 'CREATE_FAILED')
),
-- Few keys name what they are on many resources: each is looked at once.
keys as (
    select
        key,
        case
            when key in ('aws:cloudformation:stack-id', 'aws:cloudformation:stack-name') then 'stack'
            when regexp_matches(folded(key), '^(terraform|opentofu|pulumi)') or folded(key) in ('iac', 'cdk', 'tfworkspace') then 'tool'
            when folded(key) in ('managedby', 'createdby', 'provisionedby', 'provisioner', 'deployedby', 'source', 'tool') then 'maker'
        end as kind
    from (select distinct unnest(map_keys(tags)) as key from own)
),
entries as (
    select e.account_id, e.arn, k.kind, e.entry.key as key, lower(e.entry.value) as value
    from (select account_id, arn, unnest(map_entries(tags)) as entry from own) as e
    join keys as k on k.key = e.entry.key and k.kind is not null
),
tagged as (
    select account_id, arn, min(key) as tag
    from entries
    where kind = 'stack'
        or kind = 'tool' and value not in ('', 'false', 'no', 'none', '0')
        or kind = 'maker' and regexp_matches(value, '(^|[^a-z])(terraform|opentofu|tofu|terragrunt|pulumi|cloudformation|cdk|crossplane|ansible|sam|serverless|iac)([^a-z]|$)')
    group by account_id, arn
),
judged as materialized (
    select
        o.account_id, o.region, o.arn, t.tag,
        case when t.arn is not null or s.tail is not null then true when o.tags is not null then false end as is_described
    from own as o
    left join tagged as t on t.account_id = o.account_id and t.arn = o.arn
    left join stacked as s on s.account_id = o.account_id and (s.region = o.region or o.region = 'global') and s.service = o.service and s.tail = o.tail
    qualify row_number() over (partition by o.account_id, o.arn order by s.region) = 1
),
by_account as (
    select
        account_id, count(*) as resources,
        count(*) filter (where is_described) as described,
        count(*) filter (where is_described is null) as undecided
    from judged
    group by account_id
)
select
    j.account_id,
    j.region,
    j.arn as resource_arn,
    not j.is_described as failed,
    case
        when j.tag is not null then 'described, as its tag ' || j.tag || ' says'
        when j.is_described then 'a resource of a stack'
        when not j.is_described then 'in no stack, and no tag names a tool that made it'
        else 'its tags could not be read'
    end as reason,
    {'tag': j.tag, 'described': null::bigint, 'resources': null::bigint} as evidence,
    case when not coalesce(i.critical, false) then 'low' end as severity
from judged as j
join by_account as b on b.account_id = j.account_id and b.described > 0
left join resource_context as x on x.account_id = j.account_id and x.arn = j.arn
left join config_importance as i on i.level = x.importance
union all
select
    a.account_id,
    'global' as region,
    a.arn as resource_arn,
    case when b.described > 0 then false when b.undecided = 0 then true end as failed,
    case
        when b.described > 0 then b.described || ' of ' || b.resources || ' resources are described as code'
        when b.undecided = 0 then 'none of its ' || b.resources || ' resources is in a stack or tagged by a tool: what is lost is made again from memory'
        else 'the tags of ' || b.undecided || ' resources could not be read'
    end as reason,
    {'tag': null, 'described': b.described, 'resources': b.resources} as evidence,
    null as severity
from by_account as b
join accounts as a on a.account_id = b.account_id
