/*
title = "What new machines start from still exists"
severity = "high"
tables = ["aws_ec2_launch_template", "aws_autoscaling_group", "aws_autoscaling_launch_configuration", "aws_ec2_image"]
operations = ["DescribeLaunchTemplateVersions", "DescribeImages"]
remediation = "Make a version with an image that exists, and let groups use it; keep the images that templates name."
command = "aws ec2 create-launch-template-version --region {region} --launch-template-id {launch_template_id} --source-version {version} --launch-template-data ImageId=ami-..."
*/
with versions as (
    select account_id, region, launch_template_id, unnest(as_objects(versions)) as version
    from aws_ec2_launch_template
),
images as (
    select
        account_id, region, launch_template_id,
        try_cast(version ->> '$.VersionNumber' as bigint) as number,
        (version ->> '$.DefaultVersion')::boolean as is_default,
        version ->> '$.LaunchTemplateData.ImageId' as image_id
    from versions
),
-- Images of others are not in the account's list; those that templates name by default were asked for.
known as (
    select account_id, region, image_id, bool_or(exists_still) as exists_still
    from (
        select account_id, region, image_id, state = 'available' as exists_still from aws_ec2_image
        union all
        select account_id, region, image_id, image_exists from aws_ec2_launch_template where image_exists is not null
    )
    group by account_id, region, image_id
),
templates as (
    select
        account_id, region, arn, launch_template_id, default_version_number as version, image_id, 'its default version' as used,
        case
            when image_id not like 'ami-%' then true
            when versions is not null and image_id is null then true
            else image_exists
        end as exists_still
    from aws_ec2_launch_template
),
groups as (
    select
        g.account_id, g.region, g.arn, t.launch_template_id, i.number as version, coalesce(i.image_id, c.image_id) as image_id,
        case when c.arn is not null then 'its launch configuration' else 'version ' || g.launch_template_version || ' of ' || t.launch_template_name end as used,
        -- Groups may say themselves which image replaces that of the template; then nothing here decides.
        i.launch_template_id is not null and i.image_id is null as imageless
    from aws_autoscaling_group as g
    left join aws_autoscaling_launch_configuration as c on c.account_id = g.account_id and c.region = g.region and c.launch_configuration_name = g.launch_configuration_name
    left join aws_ec2_launch_template as t on t.account_id = g.account_id and t.region = g.region and t.launch_template_id = g.launch_template_id
    left join images as i on i.account_id = t.account_id and i.region = t.region and i.launch_template_id = t.launch_template_id
        and (
            g.launch_template_version = '$Latest' and i.number = t.latest_version_number
            or (g.launch_template_version is null or g.launch_template_version = '$Default') and i.is_default
            or i.number::varchar = g.launch_template_version
        )
    qualify row_number() over (partition by g.account_id, g.arn order by i.number desc) = 1
),
starts as (
    select * from templates
    union all by name
    select
        g.* exclude (imageless),
        case when g.image_id not like 'ami-%' or g.imageless then true else k.exists_still end as exists_still
    from groups as g
    left join known as k on k.account_id = g.account_id and k.region = g.region and k.image_id = g.image_id
)
select
    account_id,
    region,
    arn as resource_arn,
    not exists_still as failed,
    case
        when not exists_still then 'the image ' || image_id || ' of ' || used || ' is gone: no machine can start from it'
        when exists_still and image_id is null then used || ' names no image'
        when exists_still and image_id not like 'ami-%' then 'its image is looked up when a machine starts'
        when exists_still then 'the image ' || image_id || ' of ' || used || ' exists'
        when image_id is not null then 'whether the image ' || image_id || ' still exists is not known'
        else 'which image it starts from is not known'
    end as reason,
    {'image_id': image_id, 'launch_template_id': launch_template_id, 'version': version} as evidence
from starts
