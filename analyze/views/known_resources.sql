-- Every resource of this run and of the runs before it, as its tags last described it: what an event destroyed is in the
-- earlier ones only.
select account_id, region, arn, arn_tail(arn) as tail, resource_type, name, owner, environment, system, importance, importance_rank,
    importance_rank >= (select min(rank) from config_importance where critical) as critical, exposed, true as present
from resource_context
union all
select account_id, region, arn, arn_tail(arn), resource_type, name, owner, environment, system, importance, importance_rank,
    importance_rank >= (select min(rank) from config_importance where critical), exposed, false
from previous_context as p
anti join resource_context as c on c.account_id = p.account_id and c.arn = p.arn
