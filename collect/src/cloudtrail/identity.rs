//! What of `userIdentity` has columns of its own.

use super::scan::{Malformed, Scanner};

/// Raw values of an identity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identity<'a> {
    /// `type`
    pub kind: Option<&'a str>,
    /// `arn`
    pub arn: Option<&'a str>,
    /// `principalId`
    pub principal_id: Option<&'a str>,
    /// `accountId`
    pub account_id: Option<&'a str>,
    /// `userName`
    pub user_name: Option<&'a str>,
    /// `accessKeyId`
    pub access_key_id: Option<&'a str>,
    /// `invokedBy`
    pub invoked_by: Option<&'a str>,
    /// `sessionContext`
    pub session: Session<'a>,
}

/// Raw values of an identity's `sessionContext`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Session<'a> {
    /// `sourceIdentity`
    pub source_identity: Option<&'a str>,
    /// `sessionIssuer`
    pub issuer: Issuer<'a>,
    /// `attributes`
    pub attributes: Attributes<'a>,
}

/// Raw values of a session's `sessionIssuer`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Issuer<'a> {
    /// `arn`
    pub arn: Option<&'a str>,
    /// `type`
    pub kind: Option<&'a str>,
}

/// Raw values of a session's `attributes`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes<'a> {
    /// `mfaAuthenticated`
    pub mfa_authenticated: Option<&'a str>,
    /// `creationDate`
    pub creation_date: Option<&'a str>,
}

/// Reads the value that comes next, in the same pass that checks it. It is empty when it is no object; of members
/// named twice it has the last, as JSON parsers do.
pub fn identity<'a>(scanner: &mut Scanner<'a>) -> Result<Identity<'a>, Malformed> {
    members(scanner, |scanner, identity: &mut Identity<'a>, name| {
        let slot = match name {
            "type" => &mut identity.kind,
            "arn" => &mut identity.arn,
            "principalId" => &mut identity.principal_id,
            "accountId" => &mut identity.account_id,
            "userName" => &mut identity.user_name,
            "accessKeyId" => &mut identity.access_key_id,
            "invokedBy" => &mut identity.invoked_by,
            "sessionContext" => {
                identity.session = session(scanner)?;
                return Ok(());
            }
            _ => &mut None,
        };
        *slot = Some(scanner.value()?);
        Ok(())
    })
}

fn session<'a>(scanner: &mut Scanner<'a>) -> Result<Session<'a>, Malformed> {
    members(scanner, |scanner, session: &mut Session<'a>, name| {
        match name {
            "sessionIssuer" => session.issuer = issuer(scanner)?,
            "attributes" => session.attributes = attributes(scanner)?,
            "sourceIdentity" => session.source_identity = Some(scanner.value()?),
            _ => drop(scanner.value()?),
        }
        Ok(())
    })
}

fn issuer<'a>(scanner: &mut Scanner<'a>) -> Result<Issuer<'a>, Malformed> {
    members(scanner, |scanner, issuer: &mut Issuer<'a>, name| {
        let value = Some(scanner.value()?);
        match name {
            "arn" => issuer.arn = value,
            "type" => issuer.kind = value,
            _ => {}
        }
        Ok(())
    })
}

fn attributes<'a>(scanner: &mut Scanner<'a>) -> Result<Attributes<'a>, Malformed> {
    members(scanner, |scanner, attributes: &mut Attributes<'a>, name| {
        let value = Some(scanner.value()?);
        match name {
            "mfaAuthenticated" => attributes.mfa_authenticated = value,
            "creationDate" => attributes.creation_date = value,
            _ => {}
        }
        Ok(())
    })
}

fn members<'a, T: Default>(
    scanner: &mut Scanner<'a>,
    mut each: impl FnMut(&mut Scanner<'a>, &mut T, &str) -> Result<(), Malformed>,
) -> Result<T, Malformed> {
    let mut found = T::default();
    if scanner.peek() == Some(b'{') {
        scanner.object(|scanner, name| {
            // A name whose escapes name no character is none of ours.
            let name = name.text().unwrap_or_default();
            each(scanner, &mut found, &name)
        })?;
    } else {
        scanner.value()?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_equal_names_counts_with_all_that_is_in_it() {
        let text = r#"{"arn":"a","sessionContext":{"sessionIssuer":{"arn":"i","type":"Role"},"attributes":{"mfaAuthenticated":"true"},"sourceIdentity":"s"},"arn":1,
            "sessionContext":{"sessionIssuer":[],"attributes":{"creationDate":"d"}},"other":{"arn":"b"}}"#;
        let found = identity(&mut Scanner::new(text)).unwrap();
        let attributes = Attributes {
            mfa_authenticated: None,
            creation_date: Some("\"d\""),
        };
        let session = Session {
            attributes,
            ..Session::default()
        };
        let expected = Identity {
            arn: Some("1"),
            session,
            ..Identity::default()
        };
        assert_eq!(found, expected);
        assert_eq!(identity(&mut Scanner::new("[{}]")), Ok(Identity::default()));
        assert_eq!(identity(&mut Scanner::new("{\"arn\":}")), Err(Malformed));
    }
}
