/*
title = "User data holds no credentials"
severity = "high"
tables = ["aws_ec2_instance", "aws_ec2_launch_template", "aws_autoscaling_launch_configuration", "secrets_found"]
operations = ["DescribeInstanceAttribute", "DescribeLaunchTemplateVersions"]
remediation = "Keep the value in Secrets Manager or Parameter Store, let the machine's role read it at its start, and change it: whoever may describe the machine, or runs code on it, has read it."
*/
with machines as (
    -- A member that holds the answer tells "none" from "not asked".
    select account_id, region, arn, user_data, config ->> '$.UserData' is not null as asked
    from aws_ec2_instance
    where state is distinct from 'terminated'
    union all
    select
        account_id, region, arn,
        array_to_string(list_sort(list_distinct(list_filter(versions ->> '$[*].LaunchTemplateData.UserData', lambda value: value is not null))), ', '),
        versions is not null
    from aws_ec2_launch_template
    union all
    -- The list itself carries the user data.
    select account_id, region, arn, user_data, config is not null
    from aws_autoscaling_launch_configuration
),
-- `collect` recognises keys and passwords, also behind base64; user data that only lies in such a place is "declared".
found as (
    select account_id, arn, list(distinct kind order by kind) as kinds, list(distinct place order by place) as places
    from secrets_found
    where source_table in ('aws_ec2_instance', 'aws_ec2_launch_template', 'aws_autoscaling_launch_configuration')
        and regexp_matches(place, '\.UserData(\.|$)') and kind <> 'declared'
    group by account_id, arn
)
select
    m.account_id,
    m.region,
    m.arn as resource_arn,
    case when f.arn is not null then true when m.asked or m.user_data <> '' then false end as failed,
    case
        when f.arn is not null then 'its user data holds ' || array_to_string(list_transform(f.kinds, lambda kind: case kind when 'access_key' then 'an access key' when 'private_key' then 'a private key' else 'a password' end), ' and ')
        when m.user_data <> '' then 'nothing in its user data looks like a credential'
        when m.asked then 'it has no user data'
        else 'its user data is not known'
    end as reason,
    {'kinds': f.kinds, 'places': f.places, 'fingerprint': m.user_data} as evidence
from machines as m
left join found as f on f.account_id = m.account_id and f.arn = m.arn
