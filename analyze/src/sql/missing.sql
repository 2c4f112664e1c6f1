-- What makes a run partial, a line each: of tables that were not collected, only those a check wanted.
with lines as (
    select distinct
        case
            when g.kind = 'not_collected' then g.account_id || ': ' || g.table_name || ': ' || g.why
            else g.account_id || '/' || g.region || ': ' || coalesce(g.table_name || ': ', '') || g.why || coalesce(' for ' || g.resource_arn, '')
        end as line
    from gaps as g
    where g.kind <> 'not_collected'
        or exists (select 1 from check_reads as r where r.table_name = g.table_name)
)
select line
from lines
order by line;
