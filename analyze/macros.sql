-- Macros for checks. They take values, read nothing but the configuration, and null stays null.

-- A limit of the configuration, such as setting('key_age_days').
create macro setting(limit_name) as (select value from config_limits where name = limit_name);

-- Whole days from a time to the time of the facts.
create macro days_since(moment) as date_diff('hour', moment, as_of()) // 24;

-- A policy as JSON, whether it came as an object or as text; null when it can't be read.
create macro as_document(document) as
    case when json_type(document) = 'VARCHAR' then try_cast(document ->> '$' as json) else document end;

-- One or many strings as a list: policies write `"Action": "s3:*"` and `"Action": ["s3:*"]`.
create macro as_list(element) as
    case json_type(element)
        when 'ARRAY' then element ->> '$[*]'
        when 'VARCHAR' then [element ->> '$']
        when 'BOOLEAN' then [element ->> '$']
        else []::varchar[]
    end;

-- One or many objects as a list of JSON.
create macro as_objects(element) as
    case json_type(element) when 'ARRAY' then element -> '$[*]' when 'OBJECT' then [element] else []::json[] end;

-- Whether a policy's pattern with * and ? covers a value; case matters not, as in actions.
create macro pattern_covers(pattern, value) as
    regexp_full_match(
        lower(value),
        replace(replace(regexp_replace(lower(pattern), '([.+^$(){}|\[\]\\])', '\\\1', 'g'), '*', '.*'), '?', '.'),
        's'
    );

-- Whether a trail records all management events, reading and writing; null when its selectors are not known.
create macro records_management_events(basic, advanced, is_custom) as
    case
        when len(as_objects(basic)) > 0 then
            len(list_filter(as_objects(basic), lambda s: (s ->> '$.IncludeManagementEvents') = 'true' and coalesce(s ->> '$.ReadWriteType', 'All') = 'All')) > 0
        when len(as_objects(advanced)) > 0 then
            len(list_filter(as_objects(advanced), lambda s: contains(s::varchar, '"Management"') and not contains(s::varchar, '"readOnly"'))) > 0
        when not is_custom then true
    end;

-- Whether a CIDR block is as good as the whole internet: wider than any block one network has.
create macro is_world(cidr) as
    case
        when cidr is null then false
        when contains(cidr, ':') then coalesce(try_cast(split_part(cidr, '/', 2) as integer), 0) <= 16
        else coalesce(try_cast(split_part(cidr, '/', 2) as integer), 0) <= 7
    end;

-- Whether the ports from..to include one; null limits are all ports.
create macro covers_port(from_port, to_port, port) as
    coalesce(from_port, 0) in (0, -1) and coalesce(to_port, 65535) in (-1, 65535) or coalesce(from_port, 0) <= port and coalesce(to_port, 65535) >= port;

-- Minutes, hours, days: `15m`, `1h`, `7d` in seconds; null when it is no duration.
create macro duration_seconds(duration) as
    try_cast(regexp_extract(trim(lower(duration)), '^([0-9]{1,9})\s*([smhdw])', 1) as bigint)
    * case regexp_extract(trim(lower(duration)), '^([0-9]{1,9})\s*([smhdw])(in|ours?|ays?|eeks?)?$', 2)
        when 's' then 1 when 'm' then 60 when 'h' then 3600 when 'd' then 86400 when 'w' then 604800
    end;

-- A value as one word of a shell command; the placeholder where there is no value or none that can be printed.
create macro shell_word(value, placeholder) as
    case
        when value is null or value = '' or regexp_matches(value, '[\x00-\x1f\x7f]') then '<' || placeholder || '>'
        when regexp_full_match(value, '[A-Za-z0-9_./:@=+,-]+') then value
        else '''' || replace(value, '''', '''\''''') || ''''
    end;

-- The key of a tag without case, hyphens, underscores and spaces.
create macro folded(text) as regexp_replace(lower(text), '[-_ ]', '', 'g');

-- The last part of an ARN.
create macro arn_tail(arn) as regexp_extract(arn, '[^:/]+$');

-- The name of a secret, of its ARN too, which ends with six characters of chance.
create macro secret_name(asked) as
    case when starts_with(asked, 'arn:') then regexp_replace(asked, '^arn:[^:]*:secretsmanager:[^:]*:[0-9]*:secret:(.*)-[A-Za-z0-9?]{6}$', '\1') else asked end;

-- Whether the configuration names a principal as known automation.
create macro is_automation(who) as coalesce((select bool_or(who glob pattern) from config_automation), false);

-- The partition of an ARN, for ARNs that are made of an event's parameters.
create macro arn_partition(arn) as coalesce(nullif(split_part(arn, ':', 2), ''), 'aws');

-- A principal without what every ARN of the account has in common: `role/deploy`, `user/alice`.
create macro principal_label(arn) as coalesce(nullif(regexp_extract(arn, '[^:]+$'), ''), arn);

-- The product that a user agent names, without its version: `aws-cli`, `boto`, `terraform`, `browser`. The console and what a
-- browser calls by itself are one; systems made for breaking in name themselves too. It is the caller's own text.
create macro user_agent_product(user_agent) as
    case
        when regexp_matches(user_agent, '(?i)[^a-z](kali|parrot|pentoo)([^a-z]|$)') then 'penetration testing system'
        when regexp_matches(user_agent, '(?i)mozilla/|console|signin\.amazonaws\.com|^aws[ -]internal') then 'browser'
        when regexp_matches(user_agent, '(?i)s3 browser') then 's3 browser'
        when regexp_matches(user_agent, '(?i)terraform') then 'terraform'
        when regexp_matches(user_agent, '(?i)pulumi') then 'pulumi'
        when regexp_matches(user_agent, '(?i)^\W*(aio)?boto') then 'boto'
        else left(nullif(replace(regexp_replace(regexp_extract(lower(user_agent), '[a-z][a-z.-]*'), '([-.]v)?[-.]*$', ''), 'aws-sdk-nodejs', 'aws-sdk-js'), ''), 60)
    end;

-- Of the member `call` of a group of events, for the evidence of a detection.
create macro trace(call) as {
    'principals': list_sort(list(distinct call.principal)),
    'addresses': list_sort(list(distinct call.source_ip_address)),
    'user_agents': list_sort(list(distinct call.user_agent))[:5],
    'first': min(call.event_time),
    'last': max(call.event_time),
    'calls': count(*),
    'denied': count(*) filter (where call.denied),
    'failed': count(*) filter (where not call.succeeded and not call.denied),
    'event_ids': list(call.event_id order by call.event_time, call.event_id)[:50]
};

-- Of the same, for the reason: who, from where, when, how often, and whether it was let.
create macro traced(call) as
    'by ' || coalesce(array_to_string(list_sort(list(distinct principal_label(call.principal)))[:3], ', '), 'an unknown principal')
    || coalesce(' from ' || array_to_string(list_sort(list(distinct call.source_ip_address))[:3], ', '), '')
    || case when min(call.event_time) = max(call.event_time) then strftime(min(call.event_time), ', %Y-%m-%d %H:%M:%S')
        else strftime(min(call.event_time), ', %Y-%m-%d %H:%M') || strftime(max(call.event_time), ' to %Y-%m-%d %H:%M') end
    || case when count(*) > 1 then ', ' || count(*) || ' calls' else '' end
    || case
        when count(*) filter (where call.succeeded) = count(*) then ''
        when count(*) filter (where call.succeeded) > 0 then ', ' || count(*) filter (where not call.succeeded) || ' of them failed'
        when count(*) filter (where call.denied) = count(*) then ', denied'
        else ', without success'
    end;

-- The resource that Inspector means: an instance by its id, a function without its version, the repository of an image.
create macro inspected_arn(inspected_id, partition, region, account) as
    case
        when starts_with(inspected_id, 'i-') then concat('arn:', partition, ':ec2:', region, ':', account, ':instance/', inspected_id)
        when contains(inspected_id, ':ecr:') then regexp_replace(inspected_id, '/sha256:[0-9a-f]+$', '')
        when contains(inspected_id, ':lambda:') then regexp_replace(inspected_id, '(:function:[^:]+):.*$', '\1')
        else inspected_id
    end;

-- An address as a number, IPv4 and IPv6; null when it is none.
create macro ip_number(address) as
    case
        when address is null then null
        when contains(address, ':') then list_reduce(
            list_prepend(0::uhugeint, list_transform(
                list_concat(
                    list_filter(string_split(split_part(address, '::', 1), ':'), lambda part: part <> ''),
                    list_transform(
                        range(case when contains(address, '::') then 8 - len(list_filter(string_split(replace(address, '::', ':'), ':'), lambda part: part <> '')) else 0 end),
                        lambda zero: '0'
                    ),
                    list_filter(string_split(split_part(address, '::', 2), ':'), lambda part: part <> '')
                ),
                lambda part: try_cast('0x' || part as uhugeint)
            )),
            lambda number, part: number * 65536 + part
        )
        else list_reduce(
            list_prepend(0::uhugeint, list_transform(string_split(address, '.'), lambda part: try_cast(part as uhugeint))),
            lambda number, part: number * 256 + part
        )
    end;

-- The bits of an address range that its hosts differ in.
create macro host_bits(cidr) as
    try_cast(
        case when cidr is null then null when contains(cidr, ':') then 128 else 32 end
        - coalesce(try_cast(nullif(split_part(cidr, '/', 2), '') as integer), case when contains(cidr, ':') then 128 else 32 end)
    as uhugeint);

-- The first and the last address of a range, as numbers.
create macro first_address(cidr) as
    case when host_bits(cidr) >= 128 then 0::uhugeint else (ip_number(split_part(cidr, '/', 1)) >> host_bits(cidr)) << host_bits(cidr) end;
create macro last_address(cidr) as
    case
        when host_bits(cidr) >= 128 then 340282366920938463463374607431768211455::uhugeint
        else first_address(cidr) + ((1::uhugeint << host_bits(cidr)) - 1)
    end;

-- ipv4 or ipv6, of an address or a range.
create macro ip_family(address) as case when contains(address, ':') then 'ipv6' else 'ipv4' end;

-- The block of the internet an address lies in: 128 of IPv4, 65536 of IPv6; a range that is_world() fills whole blocks.
create macro world_block(address, family) as (address >> case family when 'ipv6' then 112 else 25 end::uhugeint)::integer;

-- A protocol and its ports in a few words: `tcp/22`, `tcp/8000-8080`, `all tcp`.
create macro port_words(protocol, from_port, to_port) as
    case
        when from_port = 0 and to_port = 65535 then 'all ' || protocol
        when from_port = to_port then concat(protocol, '/', from_port)
        else concat(protocol, '/', from_port, '-', to_port)
    end;

-- Whether a resource's policy denies something to somebody who asks over TLS.
create macro denies_over_tls(policy) as
    len(list_filter(
        as_objects(as_document(policy) -> '$.Statement'),
        lambda statement: lower(statement ->> '$.Effect') = 'deny'
            and not regexp_matches(coalesce((statement -> '$.Condition')::varchar, ''), '"aws:securetransport":\s*\[?\s*"?false', 'i')
    )) > 0;

-- The first three of a list and how many more there are: `user/a, user/b, user/c and 4 others`.
create macro some_of(list) as
    array_to_string(list[:3], ', ') || case when len(list) = 4 then ' and one other' when len(list) > 4 then ' and ' || (len(list) - 3) || ' others' else '' end;

-- Whether the configuration names a role as one for dangerous work.
create macro is_special_role(arn) as
    coalesce(contains(arn, ':role/') and (select bool_or(arn_tail(arn) glob pattern) from config_special_roles), false);

-- Whoever a path of access begins with: `user/alice`, `account 444455556666`, `anyone`, `lambda.amazonaws.com`.
create macro actor_label(arn) as
    case when arn = '*' then 'anyone' when arn like 'arn:%:root' then 'account ' || split_part(arn, ':', 5) else principal_label(arn) end;
