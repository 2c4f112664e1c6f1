/*
title = "Every resource carries the required tags"
severity = "medium"
tables = ["resources"]
remediation = "Set the missing tags, and let whatever creates such resources set them from the start."
command = "aws resourcegroupstaggingapi tag-resources --resource-arn-list {resource_arn} --tags {missing}=..."
links = ["https://docs.aws.amazon.com/whitepapers/latest/tagging-best-practices/tagging-best-practices.html"]
*/
with taggable as (
    select c.account_id, c.region, c.arn, c.missing_tags, c.exposed, c.data_store
    from resources as r
    join resource_context as c on c.account_id = r.account_id and c.arn = r.arn
    where c.taggable
)
select
    account_id,
    region,
    arn as resource_arn,
    len(missing_tags) > 0 as failed,
    case
        when missing_tags is null then 'its tags could not be read'
        when len(missing_tags) > 0 then 'lacks ' || array_to_string(missing_tags, ', ')
        else 'carries all required tags'
    end as reason,
    {'missing': array_to_string(missing_tags, ',')} as evidence,
    case when exposed or data_store then 'high' end as severity
from taggable
