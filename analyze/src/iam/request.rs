//! The request that is judged: action, resource, principal. The context is in [`super::context`].

use super::context::Context;

/// Why a request can't be judged.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    #[error("action {0:?} is not one action: write it as service:Name, without wildcards")]
    Action(String),
    #[error("resource {0:?} is neither an ARN nor *")]
    Resource(String),
    #[error("account {0:?} is not an account id: write its digits")]
    Account(String),
    #[error(
        "principal {0:?} is not an IAM or STS ARN, a service principal, an identity provider or anonymous"
    )]
    Principal(String),
}

/// A request: who wants to do what to which resource, under which circumstances.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub action: &'a Action,
    pub resource: &'a Resource,
    pub principal: &'a Principal,
    pub context: &'a Context,
}

/// An action such as `s3:GetObject`, in lower case because policies name actions without regard to case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    text: String,
    colon: usize,
}

impl Action {
    /// # Errors
    /// Fails on anything that isn't `service:Name`, and on wildcards: those are for policies.
    pub fn parse(source: &str) -> Result<Self, RequestError> {
        let text = source.to_ascii_lowercase();
        let plain = |part: &str| {
            !part.is_empty()
                && !part.contains(['*', '?', ':'])
                && !part.contains(char::is_whitespace)
        };
        match text.split_once(':') {
            Some((service, name)) if plain(service) && plain(name) => Ok(Self {
                colon: service.len(),
                text,
            }),
            _ => Err(RequestError::Action(source.to_owned())),
        }
    }

    /// `service:name`, in lower case.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The service's prefix, in lower case.
    pub fn service(&self) -> &str {
        &self.text[..self.colon]
    }

    pub(super) fn name(&self) -> &str {
        &self.text[self.colon + 1..]
    }
}

/// What an action is done to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    arn: String,
    account: Option<String>,
    kind: ResourceKind,
}

/// Resources whose own policy has to allow an action even within their account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceKind {
    KmsKey,
    IamRole,
    Other,
}

impl Resource {
    /// `arn` is the resource's ARN, or `*` for actions without a resource type. `account` owns it; without it the account
    /// within the ARN counts, and without that the principal's.
    ///
    /// # Errors
    /// Fails if `arn` is neither an ARN nor `*`, or if `account` is no account id.
    pub fn new(arn: &str, account: Option<&str>) -> Result<Self, RequestError> {
        let components: Vec<&str> = arn.splitn(6, ':').collect();
        let (kind, owner) = match components.as_slice() {
            ["*"] => (ResourceKind::Other, ""),
            ["arn", _, service, _, owner, relative] => {
                let kind = match *service {
                    "kms" if relative.starts_with("key/") => ResourceKind::KmsKey,
                    "iam" if relative.starts_with("role/") => ResourceKind::IamRole,
                    _ => ResourceKind::Other,
                };
                (kind, *owner)
            }
            _ => return Err(RequestError::Resource(arn.to_owned())),
        };
        if let Some(wrong) = account.filter(|account| account.is_empty() || !digits(account)) {
            return Err(RequestError::Account(wrong.to_owned()));
        }
        let owner = Some(owner).filter(|owner| owner.len() == 12 && digits(owner));
        Ok(Self {
            arn: arn.to_owned(),
            account: account.or(owner).map(str::to_owned),
            kind,
        })
    }

    /// Its ARN, or `*`.
    pub fn arn(&self) -> &str {
        &self.arn
    }

    pub(super) fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// Whether it is a role that only a service may assume, which policies of organizations spare.
    pub fn is_service_linked_role(&self) -> bool {
        self.kind == ResourceKind::IamRole && self.arn.contains(":role/aws-service-role/")
    }

    /// What evaluation treats differently.
    pub fn kind(&self) -> ResourceKind {
        self.kind
    }
}

/// Who makes the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// The account itself, which is its root user.
    Root { account: String },
    /// An IAM user.
    User { arn: String, account: String },
    /// A role; `session` is the ARN of the session if one is meant, otherwise any session of the role.
    Role {
        account: String,
        name: String,
        role_arn: Option<String>,
        session: Option<String>,
    },
    /// A session that `sts:GetFederationToken` made.
    FederatedUser { arn: String, account: String },
    /// An AWS service such as `lambda.amazonaws.com`.
    Service(String),
    /// Somebody whom an identity provider vouches for, before a role is assumed: the provider's ARN or domain.
    Federated(String),
    /// Nobody: the request isn't signed.
    Anonymous,
}

impl Principal {
    /// Reads an IAM or STS ARN, a service principal, an identity provider, or `anonymous`.
    ///
    /// # Errors
    /// Fails on everything else, such as the ARN of a group, which can't make requests.
    pub fn parse(source: &str) -> Result<Self, RequestError> {
        Self::read(source).ok_or_else(|| RequestError::Principal(source.to_owned()))
    }

    fn read(source: &str) -> Option<Self> {
        if source == "anonymous" {
            return Some(Self::Anonymous);
        }
        if !source.starts_with("arn:") {
            return domain(source);
        }
        let components: Vec<&str> = source.splitn(6, ':').collect();
        let ["arn", _, service @ ("iam" | "sts"), _, account, relative] = components.as_slice()
        else {
            return None;
        };
        let (arn, account) = (source.to_owned(), (*account).to_owned());
        if account.is_empty() {
            return None;
        }
        match (*service, relative.split_once('/')) {
            ("iam", None) if *relative == "root" => Some(Self::Root { account }),
            ("iam", Some(("user", name))) if !name.is_empty() => Some(Self::User { arn, account }),
            ("iam", Some(("role", path))) => {
                let name = path
                    .rsplit('/')
                    .next()
                    .filter(|name| !name.is_empty())?
                    .to_owned();
                Some(Self::Role {
                    account,
                    name,
                    role_arn: Some(arn),
                    session: None,
                })
            }
            ("iam", Some(("saml-provider" | "oidc-provider", _))) => Some(Self::Federated(arn)),
            ("sts", Some(("assumed-role", rest))) => {
                let (name, session) = rest.split_once('/')?;
                let named = !name.is_empty() && !session.is_empty();
                named.then(|| Self::Role {
                    account,
                    name: name.to_owned(),
                    role_arn: None,
                    session: Some(arn),
                })
            }
            ("sts", Some(("federated-user", name))) if !name.is_empty() => {
                Some(Self::FederatedUser { arn, account })
            }
            _ => None,
        }
    }

    /// The account that the principal belongs to; none for services, identity providers and anonymous requests.
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Root { account }
            | Self::User { account, .. }
            | Self::Role { account, .. }
            | Self::FederatedUser { account, .. } => Some(account),
            Self::Service(_) | Self::Federated(_) | Self::Anonymous => None,
        }
    }

    /// Service-linked roles are beyond the reach of service and resource control policies. A session's ARN doesn't show
    /// the path, but AWS names all of them alike.
    pub(super) fn is_service_linked_role(&self) -> bool {
        match self {
            Self::Role {
                role_arn: Some(arn),
                ..
            } => arn.contains(":role/aws-service-role/"),
            Self::Role { name, .. } => name.starts_with("AWSServiceRoleFor"),
            _ => false,
        }
    }
}

fn digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn domain(source: &str) -> Option<Principal> {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_./:".contains(character);
    if !source.contains('.') || !source.chars().all(plain) {
        return None;
    }
    // Cognito vouches for its users under a name that looks like a service's.
    let service = source.ends_with(".amazonaws.com") || source.ends_with(".amazonaws.com.cn");
    match service && source != "cognito-identity.amazonaws.com" {
        true => Some(Principal::Service(source.to_owned())),
        false => Some(Principal::Federated(source.to_owned())),
    }
}
