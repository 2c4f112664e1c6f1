-- What experience says of a kind of source, per concept, and how it reads as evidence.
create or replace table tag_priors as
with priors as (
    from (values
        ('attached_to >', 'attached to {it}', .9, .95, .9, .7), ('attached_to <', 'with {it} attached', .8, .9, .8, .6),
        ('backup_of >', 'a backup of {it}', .9, .95, .9, .8), ('backup_of <', 'backed up as {it}', .8, .9, .8, .7),
        ('replica_of >', 'a replica of {it}', .9, .8, .9, .6), ('replica_of <', 'replicated as {it}', .9, .8, .9, .6),
        ('replicates_to >', 'replicated to {it}', .7, .7, .7, .5), ('replicates_to <', 'a copy of {it}', .7, .7, .7, .5),
        ('member_of >', 'member of {it}', .85, .9, .85, .7), ('member_of <', 'with the member {it}', .7, .85, .7, .6),
        ('in_group >', 'in {it}', .5, .2, .4, .1), ('in_group <', 'with {it} in it', .5, .2, .4, .1),
        ('names >', 'made for {it}', .9, .95, .9, .7), ('names <', 'origin of {it}', .7, .85, .7, .5),
        ('targets >', 'in front of {it}', .7, .9, .7, .6), ('targets <', 'behind {it}', .7, .9, .7, .6),
        ('triggers >', 'triggers {it}', .6, .9, .6, .5), ('triggers <', 'triggered by {it}', .6, .9, .6, .5),
        ('dead_letters_to >', 'leaves dead letters in {it}', .8, .95, .8, .6), ('dead_letters_to <', 'takes the dead letters of {it}', .8, .95, .8, .6),
        ('runs_as >', 'runs as {it}', .5, .7, .5, .4), ('runs_as <', 'what {it} runs as', .7, .8, .7, .6),
        ('logs_to >', 'logs to {it}', .2, .4, .2, .1), ('logs_to <', 'holds the logs of {it}', .6, .8, .6, .4),
        ('in_vpc >', 'in {it}', .2, .85, .2, .1), ('in_vpc <', 'with {it} in it', .2, .8, .2, .1),
        ('in_subnet >', 'in {it}', .2, .85, .2, .1), ('in_subnet <', 'with {it} in it', .2, .8, .2, .1),
        ('has_security_group >', 'behind {it}', .5, .85, .5, .3), ('has_security_group <', 'protects {it}', .6, .85, .6, .4),
        ('encrypted_with >', 'encrypted with {it}', .4, .7, .4, .2), ('encrypted_with <', 'encrypts {it}', .5, .7, .5, .3),
        ('created_from >', 'made from {it}', .4, .5, .4, .3), ('created_from <', 'origin of {it}', .5, .6, .5, .3),
        ('alias_of >', 'a name of {it}', .5, .6, .5, .4), ('alias_of <', 'named by {it}', .4, .5, .4, .3),
        ('associated_with >', 'associated with {it}', .5, .8, .5, .3), ('associated_with <', 'associated with {it}', .5, .8, .5, .3),
        ('notifies >', 'notifies {it}', .3, .4, .3, .1), ('notifies <', 'told by {it}', .4, .5, .4, .2),
        ('allows >', 'let in by {it}', .5, .8, .5, .3), ('allows <', 'lets in {it}', .5, .8, .5, .3),
        ('routes_to >', 'routes to {it}', .5, .8, .5, .3), ('routes_to <', 'where {it} routes to', .5, .8, .5, .3),
        ('backed_up_to >', 'backed up to {it}', .4, .5, .4, .3), ('backed_up_to <', 'takes the backups of {it}', .4, .5, .4, .3),
        ('protects >', 'backs up {it}', .4, .5, .4, .3), ('protects <', 'backed up by {it}', .4, .5, .4, .3),
        ('has_policy >', 'with {it}', .4, .4, .4, .2), ('has_policy <', 'attached to {it}', .4, .4, .4, .2),
        ('trusts >', 'trusts {it}', .3, .3, .3, .1), ('trusts <', 'trusted by {it}', .3, .3, .3, .1),
        ('uses >', 'uses {it}', .5, .7, .5, .4), ('uses <', 'used by {it}', .5, .7, .5, .4),
        ('created_by >', 'created by {it}', .7, .2, .4, .1), ('created_by <', 'created {it}', .5, .2, .3, .1),
        ('stack', 'of stack {it}', .8, .9, .8, .5), ('Auto Scaling group', 'of Auto Scaling group {it}', .9, .95, .9, .8),
        ('launch template', 'made from launch template {it}', .8, .8, .8, .6), ('EKS cluster', 'of EKS cluster {it}', .7, .9, .6, .5),
        ('ECS cluster', 'of ECS cluster {it}', .7, .9, .6, .5), ('ECS service', 'of ECS service {it}', .8, .9, .8, .6),
        ('Kubernetes namespace', 'of Kubernetes namespace {it}', .7, .8, .7, .5), ('Beanstalk environment', 'of Beanstalk environment {it}', .85, .9, .85, .6),
        ('product', 'of product {it}', .8, .8, .8, .5), ('EMR cluster', 'of EMR cluster {it}', .85, .9, .85, .6),
        ('name', 'with {it} in the name', .6, .6, .7, .3), ('creator', 'created by {it}', .5, .2, .3, .1),
        ('account', 'of account {it}', .2, .4, .2, .1), ('system', 'of system {it}', .8, .1, .0, .4), ('owner', 'owned by {it}', .0, .1, .5, .2),
        ('system and environment', 'of system {it}', .8, .0, .0, .6),
        ('word', 'its name says {it}', .0, .9, .0, .0), ('pattern', 'its name ends in the system {it}', .0, .0, .85, .0)
    ) as prior (kind, phrase, owner, environment, system, importance)
)
unpivot (select kind, phrase, owner::double as owner, environment::double as environment, system::double as system, importance::double as importance from priors)
on owner, environment, system, importance into name concept value prior;

-- How far a source can be trusted: how often it is right about the resources that are tagged, beyond what naming the
-- commonest value would get; where they are few, what experience says, which weighs as much as four of them.
create or replace table tag_weights as
with commonest as (
    select concept, max(chance) as chance from tag_chances group by concept
),
measured as (
    select v.source, v.kind, v.concept, count(a.own) as n, count(*) filter (where a.own = v.value) as agreed
    from tag_votes as v
    join tag_asked as a on a.id = v.id and a.concept = v.concept
    group by all
)
select
    m.source, m.concept, m.n, m.agreed,
    -- What a guess gets right as well says nothing, so cases count as far as a guess would have been wrong.
    least(.97, greatest(0, (m.agreed - m.n * coalesce(c.chance, 1) + 4 * coalesce(p.prior, .3)) / (m.n * (1 - coalesce(c.chance, 1)) + 4)))::double as weight
from measured as m
left join commonest as c on c.concept = m.concept
left join tag_priors as p on p.kind = m.kind and p.concept = m.concept;
