/*
title = "Every owner is somebody who can be asked"
severity = "medium"
tables = ["resources"]
remediation = "Set the owner to a team or person of the list of owners, or add this one to the list."
*/
with owned as (
    select r.account_id, r.region, r.arn, c.owner
    from resources as r
    join resource_context as c on c.account_id = r.account_id and c.arn = r.arn
    where c.owner is not null and c.taggable
),
known as (
    select owner
    from config_owners
    union
    -- Without a list, an owner that stands on one resource only is taken for a slip.
    select owner
    from owned
    where (select count(*) from config_owners) = 0
    group by owner
    having count(*) > 1
)
select
    o.account_id,
    o.region,
    o.arn as resource_arn,
    k.owner is null as failed,
    case when k.owner is null then 'nobody knows the owner ' || o.owner else 'the owner is known' end as reason,
    {'owner': o.owner} as evidence
from owned as o
left join known as k on k.owner = o.owner
