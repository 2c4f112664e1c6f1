-- Groups with their members.
select g.account_id, g.arn, to_json(list_sort(list(distinct u.arn) filter (where u.arn is not null)))::varchar as members
from aws_iam_group as g
left join (select account_id, arn, unnest(group_names) as group_name from aws_iam_user) as u
    on u.account_id = g.account_id and u.group_name = g.group_name
where g.arn is not null
group by g.account_id, g.arn
order by g.account_id, g.arn
