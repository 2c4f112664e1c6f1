-- The ways with the last use: of the permission, by the principal that holds it.
create or replace table access_answer as
select
    w.principal, array_to_string(w.roles, ' -> ') as through, w.verdict, w.mfa, array_to_string(w.conditions, ', ') as conditions,
    array_to_string(w.statements, ', ') as statements, u.last_used
from access_ways as w
left join (
    select principal_arn, max(last_used) as last_used
    from usage
    where lower(action) = (select value from access_action)
    group by principal_arn
) as u on u.principal_arn = w.holder
order by w.verdict, w.mfa, len(w.roles), w.principal, through;
