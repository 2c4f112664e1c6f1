-- One row per identity and policy document that grants to it: its own inline and managed policies, and for users those
-- of their groups. A managed policy whose document is not in the run has a null document.
select
    a.* exclude (document),
    case when a.policy_arn is null then a.document else p.document end as document
from attachments as a
left join (select account_id, arn, as_document(document) as document from aws_iam_policy) as p on p.account_id = a.account_id and p.arn = a.policy_arn
