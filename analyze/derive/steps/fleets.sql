-- One row per thing with network interfaces, subnet and fleet: things of one kind in one subnet with the same security
-- groups, which the network treats alike.
select
    account_id, region, arn, kind, subnet_id, subnets, any_port,
    list_sort(coalesce(security_group_ids, [])) as group_ids,
    concat_ws(' ', region, subnet_id, kind, array_to_string(list_sort(coalesce(security_group_ids, ['?'])), ',')) as fleet
from network_places
where subnet_id is not null and (answers is distinct from false or kind = 'function')
