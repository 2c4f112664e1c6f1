//! What lines of cases can't show: unknown context, speed.

use std::sync::Arc;
use std::time::Instant;

use super::*;

const ACCOUNT: &str = "111122223333";
const USER: &str = "arn:aws:iam::111122223333:user/ann";

/// Numbers that look random and are the same in every run.
pub(super) struct Sequence(pub(super) u64);

impl Sequence {
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).expect("below a usize")
    }

    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

fn identity(statements: &str) -> PolicySet {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    let policy = Policy::from_json("p", PolicyKind::Principal, &text).expect("a valid policy");
    PolicySet {
        identity: vec![Arc::new(policy)],
        ..PolicySet::default()
    }
}

fn decide<'p>(policies: &'p PolicySet, context: &Context) -> Decision<'p> {
    let action = Action::parse("s3:GetObject").expect("an action");
    let resource = Resource::new("arn:aws:s3:::ledger/ann/x", Some(ACCOUNT)).expect("a resource");
    let principal = Principal::parse(USER).expect("a principal");
    evaluate(
        &Request {
            action: &action,
            resource: &resource,
            principal: &principal,
            context,
        },
        policies,
    )
}

const ALLOW: &str = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;

#[test]
fn unknown_context_is_an_unknown_verdict_that_names_its_keys() {
    let conditional = r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::ledger/${aws:UserName}/*",
        "Condition":{"StringEquals":{"aws:ResourceTag/Team":"${aws:PrincipalTag/Team}"}}}"#;
    let policies = identity(conditional);
    let decision = decide(&policies, &Context::open());
    assert_eq!(decision.verdict, Verdict::Unknown);
    let keys: Vec<&str> = decision.unknown_keys.iter().copied().collect();
    assert_eq!(
        keys,
        [
            "aws:principaltag/team",
            "aws:resourcetag/team",
            "aws:username"
        ]
    );
    assert_eq!(decision.statements.len(), 1);

    let mut context = Context::open();
    context.set("aws:username", ContextValue::Known(vec!["bob".into()]));
    assert_eq!(
        decide(&policies, &context).verdict,
        Verdict::ImplicitlyDenied,
        "the name alone rules it out"
    );
    context.set("aws:username", ContextValue::Known(vec!["ann".into()]));
    context.set("aws:ResourceTag/Team", ContextValue::Absent);
    assert_eq!(
        decide(&policies, &context).verdict,
        Verdict::ImplicitlyDenied,
        "so does an absent tag"
    );
}

#[test]
fn unknown_context_that_does_not_matter_leaves_the_verdict_alone() {
    let unknown = Context::open();
    assert_eq!(decide(&identity(ALLOW), &unknown).verdict, Verdict::Allowed);
    let deny = r#"{"Effect":"Deny","Action":"*","Resource":"*"}"#;
    assert_eq!(
        decide(&identity(&format!("{ALLOW},{deny}")), &unknown).verdict,
        Verdict::ExplicitlyDenied
    );
    let elsewhere =
        r#"{"Effect":"Deny","Action":"ec2:*","Resource":"*","Condition":{"Null":{"a:b":"true"}}}"#;
    assert_eq!(
        decide(&identity(&format!("{ALLOW},{elsewhere}")), &unknown).verdict,
        Verdict::Allowed
    );
    let maybe =
        r#"{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Null":{"a:b":"true"}}}"#;
    assert_eq!(
        decide(&identity(&format!("{ALLOW},{maybe}")), &unknown).verdict,
        Verdict::Unknown
    );
    assert_eq!(
        decide(&identity(maybe), &unknown).verdict,
        Verdict::ImplicitlyDenied,
        "denied either way"
    );
}

#[test]
fn who_vouched_for_a_session_may_be_unknown() {
    let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*",
        "Principal":{"Federated":"accounts.google.com"}}}"#;
    let policy = Policy::from_json("r", PolicyKind::Resource, text).expect("a valid policy");
    let policies = PolicySet {
        resource: Some(Arc::new(policy)),
        ..PolicySet::default()
    };
    let action = Action::parse("s3:GetObject").expect("an action");
    let resource = Resource::new("arn:aws:s3:::ledger/x", Some(ACCOUNT)).expect("a resource");
    let session = "arn:aws:sts::111122223333:assumed-role/web/ann";
    let judge = |principal: &str, context: &Context| {
        let principal = Principal::parse(principal).expect("a principal");
        let request = Request {
            action: &action,
            resource: &resource,
            principal: &principal,
            context,
        };
        let decision = evaluate(&request, &policies);
        (decision.verdict, decision.unknown_keys.len())
    };
    assert_eq!(judge(session, &Context::open()), (Verdict::Unknown, 1));
    assert_eq!(
        judge(session, &Context::closed()),
        (Verdict::ImplicitlyDenied, 0)
    );
    assert_eq!(
        judge(USER, &Context::open()),
        (Verdict::ImplicitlyDenied, 0)
    );
    let mut context = Context::open();
    context.set(
        "aws:FederatedProvider",
        ContextValue::Known(vec!["accounts.google.com".into()]),
    );
    assert_eq!(judge(session, &context), (Verdict::Allowed, 0));
}

/// A verdict in spite of unknown keys has to be the verdict for every value they may take.
#[test]
fn a_verdict_under_unknown_context_holds_for_every_context() {
    let operators = [
        "StringEquals",
        "StringNotEquals",
        "StringLike",
        "StringNotLikeIfExists",
        "BoolIfExists",
        "Bool",
        "Null",
        "ForAllValues:StringLike",
        "ForAnyValue:StringNotEquals",
        "NumericLessThan",
        "NumericNotEquals",
    ];
    let values = ["true", "false", "1", "a*", "${a:y}", "${a:y, '1'}"];
    let resources = [
        "*",
        "arn:aws:s3:::ledger/*",
        "arn:aws:s3:::ledger/${a:y}/*",
        "arn:aws:s3:::other/*",
    ];
    let known = |value: &str| ContextValue::Known(vec![value.to_owned()]);
    let concrete = [
        ContextValue::Absent,
        known("true"),
        known("1"),
        known("ann"),
        known("ab"),
        known(""),
    ];
    let mut sequence = Sequence(0x5eed);
    let mut certain = 0;
    for _ in 0..3000 {
        let statements: Vec<String> = (0..1 + sequence.below(3))
            .map(|_| {
                let effect = sequence.pick(&["Allow", "Allow", "Deny"]);
                let element = sequence.pick(&["Resource", "Resource", "NotResource"]);
                let resource = sequence.pick(&resources);
                let (operator, key, value) = (
                    sequence.pick(&operators),
                    sequence.pick(&["a:x", "a:y"]),
                    sequence.pick(&values),
                );
                format!(
                    r#"{{"Effect":"{effect}","Action":"s3:*","{element}":"{resource}",
                        "Condition":{{"{operator}":{{"{key}":"{value}"}}}}}}"#
                )
            })
            .collect();
        let policies = identity(&statements.join(","));
        let verdict = decide(&policies, &Context::open()).verdict;
        if verdict == Verdict::Unknown {
            continue;
        }
        certain += 1;
        for x in &concrete {
            for y in &concrete {
                let mut context = Context::closed();
                context.set("a:x", x.clone());
                context.set("a:y", y.clone());
                let allowed = decide(&policies, &context).verdict == Verdict::Allowed;
                assert_eq!(
                    allowed,
                    verdict == Verdict::Allowed,
                    "{statements:?} with {x:?} and {y:?}"
                );
            }
        }
    }
    assert!(
        certain > 300,
        "{certain} verdicts were certain: too few to say much"
    );
}

#[test]
fn a_named_session_is_one_of_any() {
    let text = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Principal":{"AWS":"arn:aws:sts::111122223333:assumed-role/web/ann"}},
        {"Effect":"Deny","Action":"s3:PutObject","Resource":"*","Principal":{"AWS":"arn:aws:sts::111122223333:assumed-role/web/ann"}}]}"#;
    let policy = Policy::from_json("r", PolicyKind::Resource, text).expect("a valid policy");
    let policies = PolicySet {
        resource: Some(Arc::new(policy)),
        ..identity(&ALLOW.replace(r#""Action":"*""#, r#""Action":"s3:PutObject""#))
    };
    let resource = Resource::new("arn:aws:s3:::ledger/x", Some(ACCOUNT)).expect("a resource");
    let judge = |principal: &str, action: &str, context: &Context| {
        let principal = Principal::parse(principal).expect("a principal");
        let action = Action::parse(action).expect("an action");
        let request = Request {
            action: &action,
            resource: &resource,
            principal: &principal,
            context,
        };
        let decision = evaluate(&request, &policies);
        let keys: Vec<String> = decision
            .unknown_keys
            .iter()
            .map(|key| (*key).to_owned())
            .collect();
        (decision.verdict, keys)
    };
    let (open, closed) = (Context::open(), Context::closed());
    let role = "arn:aws:iam::111122223333:role/path/web";
    let by_name = vec!["sts:rolesessionname".to_owned()];
    assert_eq!(
        judge(role, "s3:GetObject", &open),
        (Verdict::Unknown, by_name.clone()),
        "the session may be the one that is named"
    );
    assert_eq!(
        judge(role, "s3:PutObject", &open),
        (Verdict::Unknown, by_name),
        "or the one that is denied"
    );
    let none = Vec::new();
    for (principal, action, verdict) in [
        (role, "s3:GetObject", Verdict::ImplicitlyDenied),
        (role, "s3:PutObject", Verdict::Allowed),
    ] {
        assert_eq!(judge(principal, action, &closed), (verdict, none.clone()));
    }
    for (session, verdict) in [
        (
            "arn:aws:sts::111122223333:assumed-role/web/ann",
            Verdict::Allowed,
        ),
        (
            "arn:aws:sts::111122223333:assumed-role/web/bob",
            Verdict::ImplicitlyDenied,
        ),
        (
            "arn:aws:sts::444455556666:assumed-role/web/ann",
            Verdict::ImplicitlyDenied,
        ),
    ] {
        assert_eq!(
            judge(session, "s3:GetObject", &open).0,
            verdict,
            "{session}"
        );
    }
    for other in [
        "arn:aws:iam::111122223333:role/web2",
        "arn:aws:iam::444455556666:role/web",
        USER,
    ] {
        assert_eq!(
            judge(other, "s3:GetObject", &open).0,
            Verdict::ImplicitlyDenied,
            "{other}"
        );
    }
}

/// A mixed set: administrators, scoped roles, conditions with variables, boundaries, two levels of an organization. The
/// rate is printed, not judged: it is the machine's as much as ours.
#[test]
fn decides_a_mixed_set() {
    let scoped = r#"{"Effect":"Allow","Action":["s3:GetObject","s3:List*","ec2:Describe*","kms:Decrypt","sqs:*","logs:PutLogEvents"],
        "Resource":["arn:aws:s3:::ledger","arn:aws:s3:::ledger/*","arn:aws:sqs:*:*:orders-*"]}"#;
    let guarded = r#"{"Effect":"Deny","Action":["s3:Delete*","rds:Delete*","route53:*"],"Resource":"*",
        "Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}"#;
    let own = r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::home/${aws:username}/*",
        "Condition":{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","203.0.113.0/24"]},"StringLike":{"aws:PrincipalTag/team":"red*"}}}"#;
    let mut sets: Vec<PolicySet> = [ALLOW, scoped, guarded, own]
        .into_iter()
        .map(identity)
        .collect();
    sets.push(identity(&[ALLOW, scoped, guarded, own].join(",")));
    let mut limited = identity(&format!("{scoped},{guarded}"));
    limited.boundaries = Some(identity(scoped).identity);
    let level = |id: &str| OrganizationLevel {
        org_identifier: id.into(),
        policies: identity(&format!("{ALLOW},{guarded}")).identity,
    };
    limited.service_control = [level("r-1"), level("ou-1")].into();
    sets.push(limited);

    let actions = [
        "s3:GetObject",
        "s3:DeleteObject",
        "sqs:SendMessage",
        "rds:DeleteDBInstance",
        "iam:PassRole",
    ]
    .map(|action| Action::parse(action).expect("an action"));
    let resources = [
        "arn:aws:s3:::ledger/2026/may.csv",
        "arn:aws:s3:::home/ann/x",
        "arn:aws:sqs:eu-west-1:111122223333:orders-1",
    ]
    .map(|arn| Resource::new(arn, Some(ACCOUNT)).expect("a resource"));
    let principal = Principal::parse(USER).expect("a principal");
    let mut context = Context::closed();
    for (key, value) in [
        ("aws:username", "ann"),
        ("aws:SourceIp", "203.0.113.7"),
        ("aws:PrincipalTag/team", "red-1"),
        ("aws:MultiFactorAuthPresent", "false"),
        ("aws:PrincipalOrgID", "o-1"),
        ("aws:RequestedRegion", "eu-west-1"),
    ] {
        context.set(key, ContextValue::Known(vec![value.into()]));
    }
    let rounds = 5_000;
    let mut counts = [0_u32; 3];
    let start = Instant::now();
    for _ in 0..rounds {
        for policies in &sets {
            for action in &actions {
                for resource in &resources {
                    let request = Request {
                        action,
                        resource,
                        principal: &principal,
                        context: &context,
                    };
                    match evaluate(&request, policies).verdict {
                        Verdict::Allowed => counts[0] += 1,
                        Verdict::ImplicitlyDenied => counts[1] += 1,
                        Verdict::ExplicitlyDenied => counts[2] += 1,
                        Verdict::Unknown => panic!("the context is known"),
                    }
                }
            }
        }
    }
    let decisions = counts.iter().sum::<u32>();
    println!(
        "{decisions} decisions, {:.2} million/s",
        f64::from(decisions) / start.elapsed().as_secs_f64() / 1e6
    );
    // Of 90 combinations of set, action and resource.
    assert_eq!(counts.map(|count| count / rounds), [34, 38, 18]);
}
