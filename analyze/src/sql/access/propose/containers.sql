-- What policies are attached to. `settled`: it is old enough that the events show what it normally does; null: not known.
select
    c.account_id, c.kind, c.arn, c.name, to_json(c.members)::varchar as members,
    c.created_at <= as_of() - to_days(setting('proposal_days')) as settled,
    to_json(c.mfa_serial_numbers)::varchar as mfa_devices,
    exists (select * from config_special_roles as s where c.kind = 'role' and pattern_covers(s.pattern, c.name)) as special
from (
    select account_id, 'user' as kind, arn, user_name as name, [arn] as members, created_at, mfa_serial_numbers
    from aws_iam_user
    union all by name
    select account_id, 'role' as kind, arn, role_name as name, [arn] as members, created_at
    from aws_iam_role
    union all by name
    select
        g.account_id, 'group' as kind, g.arn, g.group_name as name, g.created_at,
        (
            select list(u.arn order by u.arn)
            from aws_iam_user as u
            where u.account_id = g.account_id and list_contains(u.group_names, g.group_name)
        ) as members
    from aws_iam_group as g
) as c
where c.arn is not null and c.account_id is not null
order by c.account_id, c.kind, c.arn
