//! The README of a proposal: what changes for whom, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use handoff::text::printable;

use super::Proposal;
use super::containers::{Container, Kind};
use super::files::{organization_folder, policy_name, safe, set_path, trust_name};
use super::guardrail::Guardrail;
use super::outcome::{Outcome, State};

/// Names listed in one place.
const LISTED: usize = 40;

pub(super) fn text(proposal: &Proposal, run: &str) -> String {
    let mut text = format!("# Policies proposed from run {run}\n\n");
    introduction(&mut text, proposal);
    order(&mut text);
    specials(&mut text, proposal);
    sets(&mut text, proposal);
    foreign(&mut text, proposal);
    changes(&mut text, proposal);
    kept(&mut text, proposal);
    wide(&mut text, proposal);
    left(&mut text, proposal);
    guardrails(&mut text, proposal);
    limits(&mut text, proposal);
    text
}

/// Text of a cell or a line: nothing in it is markdown or HTML.
fn plain(text: &str) -> String {
    let mut escaped = String::new();
    for c in printable(text).chars() {
        if matches!(
            c,
            '\\' | '`'
                | '*'
                | '_'
                | '{'
                | '}'
                | '['
                | ']'
                | '<'
                | '>'
                | '#'
                | '|'
                | '~'
                | '&'
                | '!'
        ) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Names of actions, the first of many.
fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: BTreeSet<&str> = names.into_iter().collect();
    let shown: Vec<String> = names.iter().take(LISTED).map(|name| plain(name)).collect();
    match names.len().saturating_sub(LISTED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

// Writing to a String can't fail: the results of `write!` are dropped.

fn introduction(text: &mut String, proposal: &Proposal) {
    let counts = &proposal.proof.counts;
    let _ = write!(
        text,
        "Each user, group and role gets policies that allow what was used of its present ones. Dangerous work that people do goes to \
         roles for it, which take a recent second factor. Nobody gains anything but the way to these roles: every new statement is \
         within a statement that is attached today, under the same conditions, and every denial stays.\n\n\
         `proof.json` holds the proof, made with the evaluator before anything was written, `replayed.ndjson` what was replayed for it:\n\n\
         | | |\n| --- | ---: |\n\
         | uses in the log that stay allowed as before | {} |\n\
         | uses that go through a special role | {} |\n\
         | uses that today's policies deny too: permissions changed since | {} |\n\
         | new statements shown to be within those of today | {} |\n\
         | dangerous actions of principals, by their own policies, before | {} |\n\
         | after, outside of the special roles | {} |\n\
         | dangerous actions of principals that only policies of resources allow: those have to be changed there | {} |\n\n",
        counts.direct,
        counts.special,
        counts.not_today,
        counts.contained,
        counts.before,
        counts.after,
        counts.by_resource
    );
}

fn order(text: &mut String) {
    text.push_str(
        "## How to apply it\n\n\
         1. Read this file, and the policies of whom you know best.\n\
         2. In each account's folder, create the stack of `cloudformation.json` (with `CAPABILITY_NAMED_IAM`; several files are several \
         stacks, in their order) or apply `main.tf.json`. Both make the same: policies, special roles, attachments. `policies` and `trust` \
         hold the documents alone. IAM attaches ten managed policies at most: where old and new are more, detach the old ones first.\n\
         3. `detach.sh` takes away what the new policies replace. Until then nothing is taken from anybody. Keep the old documents: \
         the inventory of the run has them.\n\
         4. Attach the policies of `organization` last, if you have an organization.\n\n",
    );
}

fn specials(text: &mut String, proposal: &Proposal) {
    if proposal.plan.specials.is_empty() {
        return;
    }
    text.push_str(
        "## Special roles\n\n\
         One for each kind of dangerous work that people did, and each service. The trust policy takes a second factor of the last hour. It can't name \
         groups, so it lets the account choose, and the policies of the groups and users below let theirs in: membership decides. \
         Sessions are an hour long. An administrator who may write policies can let himself in: watch the roles.\n\n\
         | account | role | for | actions |\n| --- | --- | --- | --- |\n",
    );
    for ((account, _), special) in &proposal.plan.specials {
        let who: Vec<String> = special
            .containers
            .iter()
            .map(|index| &proposal.scene.containers[*index])
            .map(|container| format!("{} {}", container.kind.name(), plain(&container.name)))
            .collect();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            plain(account),
            plain(&special.name),
            who.join(", "),
            list(special.actions.iter().copied())
        );
    }
    let without: BTreeSet<&str> = proposal
        .plan
        .specials
        .values()
        .flat_map(|special| &special.containers)
        .flat_map(|index| &proposal.scene.containers[*index].members)
        .filter_map(|member| {
            let arn = &proposal.scene.world.holders[*member].arn;
            proposal
                .scene
                .containers
                .iter()
                .find(|own| own.arn == *arn && own.lacks_mfa)
                .map(|own| own.name.as_str())
        })
        .collect();
    if !without.is_empty() {
        let _ = write!(
            text,
            "\nThese users have no device for a second factor: give them one first, or, where a program uses their keys, make it a \
             role. Until then their dangerous calls are denied: {}.\n",
            list(without)
        );
    }
    if !proposal.proof.gains.is_empty() {
        text.push_str(
            "\nA role is for all who did such work, each in a part of it. What somebody gains so, with a second factor, and could not do before; \
             give them roles of their own if that is too much:\n\n| who | role | actions |\n| --- | --- | --- |\n",
        );
        for ((arn, role), actions) in &proposal.proof.gains {
            let _ = writeln!(
                text,
                "| {} | {} | {} |",
                plain(arn),
                plain(role),
                list(actions.iter().map(String::as_str))
            );
        }
    }
    text.push('\n');
}

fn foreign(text: &mut String, proposal: &Proposal) {
    if proposal.foreign.is_empty() {
        return;
    }
    text.push_str(
        "## Roles that other accounts assume\n\n\
         These trust policies let another account in without asking for an external id, so that whoever talks that account into it gets in as well. \
         The documents in `trust` ask for one. Where the other account does not send it yet, agree on it first: from then on its calls are denied \
         without it. `aws iam update-assume-role-policy` applies them; they are not part of the templates.\n\n\
         | account | role | other accounts | external id | sent already | file |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for one in &proposal.foreign {
        let container = &proposal.scene.containers[one.role];
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | `{}/trust/{}.json` |",
            plain(&container.account),
            plain(&container.name),
            list(one.accounts.iter().map(String::as_str)),
            plain(&one.external_id),
            if one.sent { "yes" } else { "no" },
            safe(&container.account),
            trust_name(container)
        );
    }
    text.push('\n');
}

fn sets(text: &mut String, proposal: &Proposal) {
    if proposal.plan.sets.is_empty() {
        return;
    }
    text.push_str(
        "## Permission sets of IAM Identity Center\n\n\
         Roles of single sign-on are changed by their permission sets. The document of each is what its roles used, in all accounts together: \
         put it there as inline policy (`aws sso-admin put-inline-policy-to-permission-set`), detach the policies below from it, then provision \
         it (`aws sso-admin provision-permission-set`). It takes the place of the inline policy that the set has now. The change is for every \
         account that the set is assigned in: what is used in those that are not in this run is not known, so collect them before.\n\n\
         | permission set | accounts | detach | inline policy |\n| --- | --- | --- | --- |\n",
    );
    for (key, roles) in &proposal.plan.sets {
        let containers = || roles.iter().map(|role| &proposal.scene.containers[*role]);
        let detached = roles
            .iter()
            .flat_map(|role| {
                let container = &proposal.scene.containers[*role];
                let outcome = &proposal.plan.outcomes[*role];
                outcome.detached.iter().map(|at| &container.policies[*at])
            })
            .filter_map(|policy| policy.arn.as_deref()?.rsplit('/').next());
        let _ = writeln!(
            text,
            "| {} | {} | {} | `{}` |",
            plain(&key.1),
            list(containers().map(|container| &*container.account)),
            list(detached),
            set_path(&proposal.plan, key)
        );
    }
    text.push('\n');
}

fn changes(text: &mut String, proposal: &Proposal) {
    text.push_str(
        "## What changes\n\n\
         `Used` statements were used, on the resources that the log names; `SpecialRoles` ones lead to the special roles; `NotObservable` ones are granted as before, since no event \
         shows whether they are used; `NeverUsed` ones deny what is dangerous to whom the log never saw.\n\n\
         | account | who | actions granted | dangerous, never used: removed | dangerous, used: special role | detached | files |\n\
         | --- | --- | ---: | --- | --- | --- | --- |\n",
    );
    for (container, outcome) in pairs(proposal).filter(|(_, outcome)| outcome.changes()) {
        let after = outcome.after.len();
        let detached = outcome.detached.iter().map(|position| {
            let policy = &container.policies[*position];
            plain(policy.arn.as_deref().map_or(policy.name.as_str(), |arn| {
                arn.rsplit('/').next().unwrap_or(arn)
            }))
        });
        if !outcome.is_applied_here() {
            continue;
        }
        let files: Vec<String> = (1..=outcome.documents.len())
            .map(|number| {
                format!(
                    "`{}/policies/{}.json`",
                    safe(&container.account),
                    policy_name(container, number)
                )
            })
            .collect();
        let how = if outcome.state == State::Denied {
            "denied: "
        } else {
            ""
        };
        let _ = writeln!(
            text,
            "| {} | {} {} | {} to {after} | {}{} | {} | {} | {} |",
            plain(&container.account),
            container.kind.name(),
            plain(&container.name),
            outcome.before,
            how,
            list(outcome.removed.iter().copied()),
            list(outcome.behind.keys().copied()),
            detached.collect::<Vec<_>>().join(", "),
            files.join(", ")
        );
    }
    let dropped: BTreeSet<&str> = pairs(proposal)
        .flat_map(|(_, outcome)| &outcome.dropped)
        .filter_map(|action| action.split(':').next())
        .collect();
    if !dropped.is_empty() {
        let _ = write!(
            text,
            "\nActions that leave no event are granted as before where somebody chose their service. Policies that AWS wrote and those with `*` \
             choose none, so that theirs are granted for the services of which the account has resources or events only. Without them \
             are {} services: {}.\n",
            dropped.len(),
            list(dropped.iter().copied())
        );
    }
    text.push('\n');
}

fn kept(text: &mut String, proposal: &Proposal) {
    text.push_str("## Dangerous actions that stay granted\n\n| account | who | why | actions |\n| --- | --- | --- | --- |\n");
    for (container, outcome) in pairs(proposal) {
        let mut by_reason: BTreeMap<_, BTreeSet<&str>> = BTreeMap::new();
        for (action, keep) in &outcome.kept {
            by_reason.entry(*keep).or_default().insert(action);
        }
        for (keep, actions) in by_reason {
            let _ = writeln!(
                text,
                "| {} | {} {} | {} | {} |",
                plain(&container.account),
                container.kind.name(),
                plain(&container.name),
                keep.text(),
                list(actions)
            );
        }
    }
    text.push_str(
        "\nTo learn whether the data events among them are used, log them: a trail keeps data events only where a selector asks for them. \
         `iam:PassRole` leaves no event ever: name the roles in it that your people pass.\n\n",
    );
}

fn wide(text: &mut String, proposal: &Proposal) {
    let mut by_reason: BTreeMap<_, BTreeMap<&str, usize>> = BTreeMap::new();
    for (_, outcome) in pairs(proposal) {
        for (action, why) in &outcome.wide {
            *by_reason
                .entry(*why)
                .or_default()
                .entry(action)
                .or_default() += 1;
        }
    }
    if by_reason.is_empty() {
        return;
    }
    text.push_str("## Used actions whose resources stay as they were granted\n\n| why | actions |\n| --- | --- |\n");
    for (why, actions) in by_reason {
        let _ = writeln!(
            text,
            "| {} | {} |",
            why.text(),
            list(actions.keys().copied())
        );
    }
    text.push_str(
        "\nResources that are gone from the inventory stand for those that come and go: the policy then names all of their type in their region. \
         More than ten of a type are named so, too.\n\n",
    );
}

fn left(text: &mut String, proposal: &Proposal) {
    text.push_str("## Left as they are\n\n| account | who | why |\n| --- | --- | --- |\n");
    for (container, outcome) in pairs(proposal) {
        let State::Left(why) = outcome.state else {
            continue;
        };
        if container.kind == Kind::User && container.policies.is_empty() {
            continue;
        }
        let _ = writeln!(
            text,
            "| {} | {} {} | {} |",
            plain(&container.account),
            container.kind.name(),
            plain(&container.name),
            why.text()
        );
    }
    text.push('\n');
}

fn guardrails(text: &mut String, proposal: &Proposal) {
    text.push_str(
        "## For the organization\n\n\
         The service control policies of `organization` deny what ends the watch over an account: leaving the organization, stopping trails, \
         detectors and recorders, removing logs and locks of backups. Roles named `danger-*` are spared, so that the special roles can do \
         it with a second factor; from then on only they can make or change roles of such names.\n\n",
    );
    for guardrail in &proposal.guardrails {
        if proposal.guardrails.len() > 1 {
            let _ = write!(
                text,
                "### {}\n\nThe documents of `{}`, for the accounts {}.\n\n",
                plain(&guardrail.organization),
                organization_folder(&proposal.guardrails, guardrail),
                list(guardrail.accounts.iter().map(String::as_str))
            );
        }
        guardrail_of(text, guardrail);
    }
}

fn guardrail_of(text: &mut String, guardrail: &Guardrail) {
    if !guardrail.buckets.is_empty() {
        let _ = write!(
            text,
            "The buckets whose logs they keep: {}. Rules of their life cycle go on.\n\n",
            list(guardrail.buckets.iter().map(String::as_str))
        );
    }
    if !guardrail.applies {
        text.push_str("The run shows no organization, so there is nothing to attach them to yet, and the proof does not count on them.\n\n");
    }
    if !guardrail.spared.is_empty() {
        let _ = write!(
            text,
            "Service control policies do not reach principals of the account that manages the organization ({}): there only the policies above hold.\n\n",
            list(guardrail.spared.iter().map(String::as_str))
        );
    }
    if !guardrail.left_out.is_empty() {
        let _ = write!(
            text,
            "Not in them, since somebody without a way to a special role uses it: {}.\n\n",
            list(guardrail.left_out.iter().copied())
        );
    }
}

fn limits(text: &mut String, proposal: &Proposal) {
    text.push_str(
        "## What this does not know\n\n\
         What happens less often than the events go back: yearly work may be missing. What happens in regions that no trail logs. Calls that need \
         more permissions than the one they are named by, where the catalogue does not say so. Dangerous work that was itself an attack: it was \
         done, so it is allowed again, in a special role with a second factor; read the table of special roles for what should not be there.\n",
    );
    let accounts: BTreeSet<&str> = proposal
        .scene
        .containers
        .iter()
        .map(|container| &*container.account)
        .collect();
    for account in accounts {
        let missing = match proposal.sight.reads_and_writes(account) {
            (true, true) => continue,
            (true, false) => "events that change something: all such actions are",
            (false, true) => "events that only read: all such actions are",
            (false, false) => "management events: all actions are",
        };
        let _ = write!(
            text,
            "\nThe log of {} has no {missing} taken for not observable, and stay granted.\n",
            plain(account)
        );
    }
    if !proposal.holes.is_empty() {
        text.push_str("\nWhat could not be read, and may hide a use or a permission:\n\n");
        for hole in proposal.holes.iter().take(LISTED) {
            let _ = writeln!(text, "- {}", plain(hole));
        }
    }
}

fn pairs(proposal: &Proposal) -> impl Iterator<Item = (&Container, &Outcome)> {
    proposal
        .scene
        .containers
        .iter()
        .zip(&proposal.plan.outcomes)
}
