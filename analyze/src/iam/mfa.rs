//! Multi-factor authentication has three states in a request, not two.
//!
//! Temporary credentials carry `aws:MultiFactorAuthPresent` as true or false; long-term access keys carry no such key at
//! all. A denial with `Bool aws:MultiFactorAuthPresent false` therefore spares access keys, and so does one with
//! `NumericGreaterThan aws:MultiFactorAuthAge`.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html>

use super::context::{Context, ContextValue};
use super::evaluate::{Decision, PolicySet, Verdict, evaluate};
use super::request::Request;

const PRESENT: &str = "aws:MultiFactorAuthPresent";
const AGE: &str = "aws:MultiFactorAuthAge";

/// The same request in the three states.
#[derive(Clone, Debug)]
pub struct MfaDecisions<'p> {
    /// Signed in with a second factor just now, or as long ago as the request's context says.
    pub with: Decision<'p>,
    /// Temporary credentials, got without a second factor.
    pub without: Decision<'p>,
    /// Long-term credentials: the keys are absent.
    pub long_term: Decision<'p>,
}

impl MfaDecisions<'_> {
    /// Whether it can be done without a second factor, by either kind of credentials.
    pub fn allowed_without(&self) -> bool {
        [&self.without, &self.long_term]
            .iter()
            .any(|decision| decision.verdict == Verdict::Allowed)
    }

    /// Whether the second factor is asked of temporary credentials only: a denial that long-term keys slip through.
    pub fn spares_long_term_credentials(&self) -> bool {
        self.without.verdict == Verdict::ExplicitlyDenied
            && self.long_term.verdict == Verdict::Allowed
    }
}

/// Judges `request` in the three states; what its context says of MFA is replaced, but for the age of the second factor.
pub fn evaluate_mfa<'p>(request: &Request<'_>, policies: &'p PolicySet) -> MfaDecisions<'p> {
    let judge = |present: ContextValue, age: Option<ContextValue>| {
        let mut context: Context = request.context.clone();
        context.set(PRESENT, present);
        if let Some(age) = age {
            context.set(AGE, age);
        }
        evaluate(
            &Request {
                context: &context,
                ..*request
            },
            policies,
        )
    };
    let known = |value: &str| ContextValue::Known(vec![value.to_owned()]);
    let fresh = (!request.context.is_set(AGE)).then(|| known("0"));
    MfaDecisions {
        with: judge(known("true"), fresh),
        without: judge(known("false"), Some(ContextValue::Absent)),
        long_term: judge(ContextValue::Absent, Some(ContextValue::Absent)),
    }
}
