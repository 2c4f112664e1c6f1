//! Whether the steps of a way are allowed.

use std::sync::Arc;

use super::super::assume::as_target;
use super::super::decide::{Granted, Subject};
use super::super::world::Target;
use super::{ASSUME_ROLE, Pivot, Search, is_customer_managed};
use crate::actions::{Catalogue, EscalationPath, On, Step};
use crate::iam::{Action, Context, ContextValue};

impl<'w> Search<'w> {
    /// Whether all steps are allowed, and on which conditions.
    pub(super) fn granted(
        &self,
        subject: &mut Subject<'w>,
        path: &EscalationPath,
        actions: &[Action],
        pivot: Pivot<'_>,
    ) -> Option<Granted> {
        let mut all: Option<Granted> = None;
        for (step, action) in path.steps.iter().zip(actions) {
            let granted = self.step(subject, path, step, action, pivot)?;
            all = Some(match all {
                None => granted,
                Some(before) => before.and(&granted),
            });
        }
        all
    }

    fn step(
        &self,
        subject: &mut Subject<'w>,
        path: &EscalationPath,
        step: &Step,
        action: &Action,
        pivot: Pivot<'_>,
    ) -> Option<Granted> {
        let holder = subject.holder;
        if let (ASSUME_ROLE, Pivot::Holder(role)) = (&*step.action, pivot) {
            let role = &self.world.holders[role];
            let object = self.judge.object(&as_target(role), &role.arn)?;
            return self.judge.ask(subject, action, &object, None);
        }
        let arns: Vec<String> = match (step.on, pivot) {
            _ if takes_no_resource(&step.action) => vec!["*".to_owned()],
            (On::Itself, _) => vec![holder.arn.clone()],
            (On::PassedRole | On::Role | On::User, Pivot::Holder(other)) => {
                vec![self.world.holders[other].arn.clone()]
            }
            (On::RolePolicy, Pivot::Holder(role)) => {
                let names = self.world.holders[role]
                    .policies
                    .iter()
                    .map(|id| self.world.library.get(*id).policy.name());
                names
                    .filter(|name| is_customer_managed(name))
                    .map(str::to_owned)
                    .collect()
            }
            (On::Group | On::OwnGroup, Pivot::Group(group)) => vec![group.arn.clone()],
            (On::OwnPolicy, Pivot::Policy(arn)) => vec![arn.to_owned()],
            (On::Existing, Pivot::Workload(workload))
                if step.resource.as_deref() == Some(&*workload.resource_type) =>
            {
                vec![workload.arn.clone()]
            }
            _ => self
                .world
                .library
                .instances(action.service())
                .into_iter()
                .collect(),
        };
        let target = Target::account(&holder.account, &holder.arn);
        let contexts = self.contexts(path, step, pivot);
        let mut best: Option<Granted> = None;
        for arn in arns {
            let Some(object) = self.judge.object(&target, &arn) else {
                continue;
            };
            for context in &contexts {
                let granted = self.judge.ask(subject, action, &object, Some(context));
                best = Granted::better(best, granted);
            }
        }
        best
    }

    /// What else is known of a step: the service a role is passed to, the policy that is attached, the boundary of whom it is
    /// attached to.
    fn contexts(&self, path: &EscalationPath, step: &Step, pivot: Pivot<'_>) -> Vec<Arc<Context>> {
        let known = |value: &str| ContextValue::Known(vec![value.to_owned()]);
        let mut context = Context::closed();
        if step.action.starts_with("iam:Attach") {
            context.set(
                "iam:policyarn",
                known("arn:aws:iam::aws:policy/AdministratorAccess"),
            );
        }
        if let Pivot::Holder(other) = pivot {
            let boundary = self.world.holders[other]
                .boundary_arn
                .as_deref()
                .map_or(ContextValue::Absent, known);
            context.set("iam:permissionsboundary", boundary);
        }
        if &*step.action != "iam:PassRole" {
            return vec![Arc::new(context)];
        }
        let to = |service: &str| {
            let mut context = context.clone();
            context.set("iam:passedtoservice", known(service));
            Arc::new(context)
        };
        path.services.iter().map(|service| to(service)).collect()
    }
}

fn takes_no_resource(action: &str) -> bool {
    Catalogue::embedded()
        .find(action)
        .is_some_and(|facts| facts.resources.iter().all(|resource| resource.is_none()))
}
