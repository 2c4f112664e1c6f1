//! Roles of single sign-on. Nobody edits them but IAM Identity Center, which makes one of each permission set in each account
//! that the set is assigned in: so what was used in all of these goes into one inline policy, which is to be put into the set.

use std::collections::{BTreeMap, BTreeSet};

use super::containers::{Attached, Container};
use super::outcome::{Left, Outcome, Plan, Sets, State};
use super::scene::Scene;

/// Characters of the inline policies of a role. A permission set takes more, but has none to spare for others.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub(super) const INLINE: usize = 10_240;

/// The permission set that a role is made of: `AWSReservedSSO_<name>_<16 digits>`.
pub(super) fn name(role: &str) -> Option<&str> {
    let (name, digits) = role.strip_prefix("AWSReservedSSO_")?.rsplit_once('_')?;
    let hexadecimal = digits.len() == 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    (hexadecimal && !name.is_empty()).then_some(name)
}

/// Whether what is proposed takes the place of a policy: one that only denies stays where it is, but a permission set has one
/// inline policy only.
pub(super) fn is_replaced(scene: &Scene, container: &Container, policy: &Attached) -> bool {
    let inline_of_set = policy.arn.is_none() && is_of_set(scene, container);
    inline_of_set || scene.grantings_of(policy.id).next().is_some()
}

fn is_of_set(scene: &Scene, container: &Container) -> bool {
    let mut holders = container
        .members
        .iter()
        .map(|member| &scene.world.holders[*member]);
    holders.any(|holder| holder.reserved()) && name(&container.name).is_some()
}

/// Makes one outcome of those of the roles of each permission set.
pub(super) fn merge(scene: &Scene, plan: &mut Plan) {
    for (key, roles) in sets(scene) {
        match merged(scene, &plan.outcomes, &roles) {
            Ok(mut outcomes) => {
                for index in &roles {
                    if let Some(outcome) = outcomes.remove(index) {
                        plan.outcomes[*index] = outcome;
                    }
                }
                plan.sets.insert(key, roles);
            }
            Err(left) => {
                for index in roles {
                    if !is_left_for_good(&plan.outcomes[index]) {
                        plan.outcomes[index] = Outcome::new(State::Left(left));
                    }
                }
            }
        }
    }
}

/// A set of the same name in another organization is another one.
fn sets(scene: &Scene) -> Sets {
    let mut sets = Sets::new();
    for (index, container) in scene.containers.iter().enumerate() {
        let Some(name) = name(&container.name).filter(|_| is_of_set(scene, container)) else {
            continue;
        };
        let limits = scene.world.limits.get(&container.account);
        let path = limits.and_then(|limits| limits.organization.as_deref());
        let organization = path.and_then(|path| path.split('/').next());
        let key = (organization.unwrap_or_default().to_owned(), name.to_owned());
        sets.entry(key).or_default().push(index);
    }
    sets
}

/// Left for a reason of its own, not since no event tells of it: those tell elsewhere.
fn is_left_for_good(outcome: &Outcome) -> bool {
    matches!(outcome.state, State::Left(left) if left != Left::NeverSeen)
}

/// What becomes of each role, or why nothing does.
fn merged(
    scene: &Scene,
    outcomes: &[Outcome],
    roles: &[usize],
) -> Result<BTreeMap<usize, Outcome>, Left> {
    let of_roles = || roles.iter().map(|index| &outcomes[*index]);
    if of_roles().any(is_left_for_good) {
        return Err(Left::SetElsewhere);
    }
    let policies: BTreeSet<_> = roles
        .iter()
        .map(|index| policies(scene, &scene.containers[*index]))
        .collect();
    if policies.len() > 1 {
        return Err(Left::SetDiffers);
    }
    let used: Vec<&Outcome> = of_roles()
        .filter(|outcome| outcome.state == State::Replaced)
        .collect();
    if used.is_empty() {
        return Err(Left::SetUnused);
    }
    let one = |index: &usize| {
        let container = &scene.containers[*index];
        let replaced = container
            .policies
            .iter()
            .enumerate()
            .filter(|(_, policy)| is_replaced(scene, container, policy));
        let detached = replaced.map(|(position, _)| position).collect();
        (*index, together(&used, detached))
    };
    Ok(roles.iter().map(one).collect())
}

/// Names and documents of the policies of a role.
fn policies(scene: &Scene, container: &Container) -> BTreeSet<(String, String)> {
    let named = |policy: &Attached| {
        let managed = policy.arn.as_deref().and_then(|arn| arn.rsplit('/').next());
        let document = scene.world.library.get(policy.id).document.as_ref();
        (
            managed.unwrap_or(&policy.name).to_owned(),
            document.map(ToString::to_string).unwrap_or_default(),
        )
    };
    container.policies.iter().map(named).collect()
}

/// What any of the roles used, for each of them.
fn together(used: &[&Outcome], detached: Vec<usize>) -> Outcome {
    let mut all = Outcome::new(State::PermissionSet);
    all.detached = detached;
    for outcome in used {
        all.before = all.before.max(outcome.before);
        for (from, to) in [
            (&outcome.draft.allowed, &mut all.draft.allowed),
            (&outcome.draft.harmless, &mut all.draft.harmless),
        ] {
            for (key, actions) in from {
                to.entry(key.clone())
                    .or_default()
                    .extend(actions.iter().cloned());
            }
        }
        for denial in &outcome.draft.verbatim {
            if !all.draft.verbatim.contains(denial) {
                all.draft.verbatim.push(denial.clone());
            }
        }
        all.removed.extend(&outcome.removed);
        all.dropped.extend(&outcome.dropped);
        all.after.extend(outcome.after.iter().cloned());
        all.wide
            .extend(outcome.wide.iter().map(|(action, why)| (*action, *why)));
        all.kept.extend(
            outcome
                .kept
                .iter()
                .map(|(action, keep)| (action.clone(), *keep)),
        );
    }
    let Outcome {
        removed,
        dropped,
        after,
        ..
    } = &mut all;
    removed.retain(|action| !after.contains(*action));
    dropped.retain(|action| !after.contains(*action));
    all
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn the_name_of_a_permission_set_is_in_that_of_its_roles() {
        for (role, set) in [
            (
                "AWSReservedSSO_AdministratorAccess_0123456789abcdef",
                Some("AdministratorAccess"),
            ),
            (
                "AWSReservedSSO_data_team_0123456789abcdef",
                Some("data_team"),
            ),
            ("AWSReservedSSO_x_0123", None),
            ("AWSReservedSSO__0123456789abcdef", None),
            ("AWSReservedSSO_0123456789abcdef", None),
            ("Admin_0123456789abcdef", None),
        ] {
            assert_eq!(name(role), set, "{role}");
        }
    }
}
