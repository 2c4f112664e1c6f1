/*
title = "What the DR tag says is true"
severity = "high"
tables = ["resources"]
remediation = "Configure what the tag promises, or correct the tag and tell the owner."
*/
select
    r.account_id,
    r.region,
    r.arn as resource_arn,
    len(c.dr_unmet) > 0 as failed,
    case
        when len(c.dr_unmet) > 0 then 'DR says ' || array_to_string(c.dr, '+') || ', missing: ' || array_to_string(c.dr_unmet, ', ')
        when c.dr_unmet is not null then 'DR says ' || array_to_string(c.dr, '+') || ', and so it is'
        else 'whether its DR tag is true could not be told'
    end as reason,
    {'dr': c.dr, 'unmet': c.dr_unmet} as evidence
from resources as r
join resource_context as c on c.account_id = r.account_id and c.arn = r.arn
where c.dr_met is not null
