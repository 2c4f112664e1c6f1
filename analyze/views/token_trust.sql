-- One row per role and identity provider whose tokens open it, and whether they are bound to a subject: without that,
-- whoever gets a token of the provider gets in.
select
    account_id, arn, principal_name,
    -- A subject of wildcards binds nothing.
    coalesce(
        len(list_filter(condition_keys, lambda path: ends_with(path, ':sub') and not starts_with(path, 'null.') and not contains(path, 'notequals') and not contains(path, 'notlike'))) > 0
            and not regexp_matches(condition::varchar, ':sub":\s*\[?\s*"(\*+|repo:\*.*)"', 'i'),
        false
    ) as bound
from trust_statements
where principal_kind = 'Federated' and contains(principal_name, ':oidc-provider/')
