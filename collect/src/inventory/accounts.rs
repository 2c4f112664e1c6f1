//! Whose accounts are collected, and with which credentials.

use std::path::Path;
use std::sync::Arc;

use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use futures::stream::{self, StreamExt as _};
use handoff::shell::{self, Hinted};
use serde_json::{Map, Value};

use super::engine::Account;
use super::sweep::Live;
use crate::aws::{
    Call, CallError, Caller, ErrorKind, LiveCaller, Partition, partition_of_region, partitions,
};
use crate::recording::{Layout, Recorder, Recording};

/// Role that AWS Organizations makes in the accounts it creates.
pub const DEFAULT_ROLE: &str = "OrganizationAccountAccessRole";

/// Region of the first call when the user's configuration names none.
const FIRST_REGION: &str = "us-east-1";

/// Accounts whose roles are assumed at a time.
const OPENED_AT_A_TIME: usize = 8;

/// Which accounts and regions of AWS are meant.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Profile of the user's configuration.
    pub profile: Option<String>,
    /// Regions; empty means all that are enabled.
    pub regions: Vec<String>,
    /// Accounts; empty means the credentials' own.
    pub accounts: Vec<String>,
    /// All accounts of the organization.
    pub organization: bool,
    /// Role to assume in accounts other than the credentials' own.
    pub role_name: Option<String>,
    /// External id that the role asks for.
    pub external_id: Option<String>,
}

/// Where answers are kept besides the lake.
pub struct Keeping<'a> {
    /// Folder of the recording.
    pub folder: &'a Path,
    /// Its layout.
    pub layout: Arc<Layout>,
}

/// The accounts of a run.
#[derive(Default)]
pub struct Accounts {
    /// Those that can be asked.
    pub open: Vec<Account>,
    /// Those that can't, and why.
    pub closed: Vec<Closed>,
    /// Callers whose figures go into the run record.
    pub callers: Vec<Arc<LiveCaller>>,
    /// Recorders to ask whether everything was kept.
    pub recorders: Vec<Arc<Recorder>>,
}

/// An account whose role can't be assumed, or whose regions can't be listed.
pub struct Closed {
    /// 12 digits.
    pub account_id: String,
    /// Service of the call that failed.
    pub service: &'static str,
    /// Operation that failed.
    pub operation: &'static str,
    /// Regions that lack everything because of it: those chosen, or all that the partition is known to have.
    pub regions: Vec<String>,
    /// Why.
    pub error: CallError,
}

/// The accounts of AWS that the user's credentials lead to.
///
/// # Errors
///
/// When there are no working credentials, or nothing can be said about which accounts and regions are meant.
pub async fn live(choice: &Choice, keeping: Option<&Keeping<'_>>) -> anyhow::Result<Accounts> {
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    if let Some(profile) = &choice.profile {
        loader = loader.profile_name(profile);
    }
    let config = loader.load().await;
    let region = config
        .region()
        .map_or(FIRST_REGION, Region::as_ref)
        .to_owned();
    let own = whoami(&config, &region).await?;
    let mut targets = choice.accounts.clone();
    if choice.organization {
        targets = members(&config, &own).await?;
    }
    if targets.is_empty() {
        targets.push(own.account_id.clone());
    }
    targets.sort();
    targets.dedup();
    let several = targets.len() > 1;
    let opening = stream::iter(&targets).map(|target| async {
        let config = if *target == own.account_id {
            config.clone()
        } else {
            assumed(&config, &own, target, choice).await
        };
        open(&config, &own, target, choice, keeping, several).await
    });
    let mut opening = opening.buffered(OPENED_AT_A_TIME);
    let mut accounts = Accounts::default();
    while let Some(opened) = opening.next().await {
        let opened = opened?;
        accounts.callers.push(opened.caller);
        accounts.recorders.extend(opened.recorder);
        match opened.account {
            Ok(account) => accounts.open.push(account),
            Err(closed) => accounts.closed.push(closed),
        }
    }
    lacking(choice, &accounts)?;
    match accounts.closed.first() {
        Some(closed) if accounts.open.is_empty() => {
            let Closed {
                account_id,
                service,
                operation,
                error,
                ..
            } = closed;
            let hint = "check the role's trust policy and --role-name; where regions can't be listed, allow ec2:DescribeRegions";
            Err(Hinted::new(
                format!("account {account_id}: {service}:{operation} failed ({error})"),
                hint,
            )
            .into())
        }
        _ => Ok(accounts),
    }
}

/// Who the credentials belong to.
struct Own {
    account_id: String,
    partition: Partition,
}

async fn whoami(config: &SdkConfig, region: &str) -> anyhow::Result<Own> {
    let hint =
        "set AWS_PROFILE or --profile, or log in (aws sso login); or read a recording with --from";
    // The account is not known yet, and the answer of this call is what tells it.
    let caller = LiveCaller::new(config, "")
        .await
        .map_err(|_| Hinted::new("no AWS credentials found", hint))?;
    let answer = caller
        .call(&call("", region, "sts", "GetCallerIdentity"))
        .await;
    let answer = answer.map_err(|error| {
        Hinted::new(
            format!("the AWS credentials do not work: sts:GetCallerIdentity failed ({error})"),
            hint,
        )
    })?;
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
    let account_id = text("Account").to_owned();
    if !crate::recording::is_account_id(&account_id) {
        return Err(
            Hinted::new("sts:GetCallerIdentity did not answer with an account", hint).into(),
        );
    }
    let name = text("Arn").split(':').nth(1).unwrap_or_default().to_owned();
    let partition = partitions()
        .into_iter()
        .find(|partition| partition.name == name);
    Ok(Own {
        account_id,
        partition: partition.unwrap_or_else(|| partition_of_region(region)),
    })
}

fn call(account_id: &str, region: &str, service: &str, operation: &str) -> Call {
    Call {
        account_id: account_id.to_owned(),
        region: region.to_owned(),
        service: service.to_owned(),
        operation: operation.to_owned(),
        params: Map::new(),
    }
}

/// The organization's active accounts.
async fn members(config: &SdkConfig, own: &Own) -> anyhow::Result<Vec<String>> {
    let caller = LiveCaller::new(config, &own.account_id).await?;
    let call = call(
        &own.account_id,
        own.partition.main_region,
        "organizations",
        "ListAccounts",
    );
    let answer = caller.call(&call).await.map_err(|error| {
        let hint = "use credentials of the management account or of a delegated administrator, or name accounts with --account";
        Hinted::new(format!("the organization's accounts can't be listed: organizations:ListAccounts failed ({error})"), hint)
    })?;
    let listed = answer
        .get("Accounts")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let mut accounts = Vec::new();
    for account in listed {
        let text = |name: &str| {
            account
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        // `State` takes the place of `Status`, which AWS retires.
        let mut state = ["State", "Status"].map(text).into_iter();
        match state.find(|state| !state.is_empty()) {
            Some("ACTIVE") | None => accounts.push(text("Id").to_owned()),
            Some(state) => shell::note(&format!("account {} is {state} and left out", text("Id"))),
        }
    }
    Ok(accounts)
}

async fn assumed(config: &SdkConfig, own: &Own, account_id: &str, choice: &Choice) -> SdkConfig {
    let role = choice.role_name.as_deref().unwrap_or(DEFAULT_ROLE);
    let arn = format!(
        "arn:{}:iam::{account_id}:role/{}",
        own.partition.name,
        role.trim_start_matches('/')
    );
    let mut builder = AssumeRoleProvider::builder(arn)
        .configure(config)
        .region(Region::new(own.partition.main_region))
        .session_name("sevenwalls");
    if let Some(id) = &choice.external_id {
        builder = builder.external_id(id);
    }
    let provider = SharedCredentialsProvider::new(builder.build().await);
    config.to_builder().credentials_provider(provider).build()
}

/// An account that was tried.
struct Opened {
    account: Result<Account, Closed>,
    caller: Arc<LiveCaller>,
    recorder: Option<Arc<Recorder>>,
}

/// Opens an account: outer errors end the run, inner ones this account.
async fn open(
    config: &SdkConfig,
    own: &Own,
    account_id: &str,
    choice: &Choice,
    keeping: Option<&Keeping<'_>>,
    several: bool,
) -> anyhow::Result<Opened> {
    let live = Arc::new(LiveCaller::new(config, account_id).await?);
    let mut caller: Arc<dyn Caller> = Arc::new(Live {
        caller: Arc::clone(&live),
        config: config.clone(),
    });
    let mut kept = None;
    if let Some(keeping) = keeping {
        let folder = if several {
            keeping.folder.join(account_id)
        } else {
            keeping.folder.to_owned()
        };
        let recorder = Arc::new(Recorder::new(caller, folder, Arc::clone(&keeping.layout)));
        kept = Some(Arc::clone(&recorder));
        caller = recorder;
    }
    let main_region = own.partition.main_region;
    let opened = |account| Opened {
        account,
        caller: live,
        recorder: kept,
    };
    let closed = |service, operation, error| Closed {
        account_id: account_id.to_owned(),
        service,
        operation,
        regions: if choice.regions.is_empty() {
            own.partition.regions.to_vec()
        } else {
            choice.regions.clone()
        },
        error,
    };
    if let Err(error) = caller
        .call(&call(account_id, main_region, "sts", "GetCallerIdentity"))
        .await
    {
        return Ok(opened(Err(closed("sts", "AssumeRole", error))));
    }
    let answer = caller
        .call(&call(account_id, main_region, "ec2", "DescribeRegions"))
        .await;
    let enabled = match answer {
        Ok(answer) => enabled(&answer),
        // A service control policy may forbid to ask what the user has said already.
        Err(error) if error.kind == ErrorKind::Denied && are_known(choice, &own.partition) => {
            choice.regions.clone()
        }
        Err(error) => return Ok(opened(Err(closed("ec2", "DescribeRegions", error)))),
    };
    let regions = if several {
        chosen_of(account_id, enabled, &choice.regions)
    } else {
        restricted(account_id, enabled, &choice.regions)?
    };
    Ok(opened(Ok(Account {
        account_id: account_id.to_owned(),
        partition: own.partition.name.to_owned(),
        main_region: main_region.to_owned(),
        regions,
        caller,
        live: true,
    })))
}

/// Whether regions were chosen that the partition has.
fn are_known(choice: &Choice, partition: &Partition) -> bool {
    let known = |region: &String| partition.regions.contains(region);
    !choice.regions.is_empty() && choice.regions.iter().all(known)
}

/// The regions that are switched on, in the answer of DescribeRegions. One that was never opted in to answers no call.
fn enabled(answer: &Value) -> Vec<String> {
    let listed = answer.get("Regions").and_then(Value::as_array);
    let text = |region: &Value, name: &str| region.get(name)?.as_str().map(str::to_owned);
    let on = listed
        .into_iter()
        .flatten()
        .filter(|region| text(region, "OptInStatus").is_none_or(|status| status != "not-opted-in"));
    on.filter_map(|region| text(region, "RegionName")).collect()
}

/// The chosen regions that this account of several has: others may have switched on more.
fn chosen_of(account_id: &str, enabled: Vec<String>, chosen: &[String]) -> Vec<String> {
    let missing = chosen.iter().filter(|region| !enabled.contains(region));
    for region in missing {
        shell::note(&format!(
            "account {account_id} has not enabled {region}: nothing is asked there"
        ));
    }
    let mut regions = enabled;
    regions.retain(|region| chosen.is_empty() || chosen.contains(region));
    regions.sort();
    regions.dedup();
    regions
}

/// Refuses a chosen region that no account has.
fn lacking(choice: &Choice, accounts: &Accounts) -> anyhow::Result<()> {
    let known = |region: &&String| {
        let open = accounts.open.iter();
        open.clone().any(|account| account.regions.contains(region))
    };
    match choice.regions.iter().find(|region| !known(region)) {
        Some(unknown) if !accounts.open.is_empty() => Err(Hinted::new(
            format!("{unknown:?} is not an enabled region of any account"),
            "check its name, or enable it: aws account enable-region --region-name ...",
        )
        .into()),
        _ => Ok(()),
    }
}

/// The regions to collect, sorted.
fn restricted(
    account_id: &str,
    mut enabled: Vec<String>,
    chosen: &[String],
) -> anyhow::Result<Vec<String>> {
    enabled.sort();
    enabled.dedup();
    if let Some(unknown) = chosen.iter().find(|region| !enabled.contains(region)) {
        let hint = format!(
            "enable it first, or choose of its regions: {}",
            enabled.join(", ")
        );
        return Err(Hinted::new(
            format!("{unknown:?} is not an enabled region of account {account_id}"),
            hint,
        )
        .into());
    }
    enabled.retain(|region| chosen.is_empty() || chosen.contains(region));
    Ok(enabled)
}

/// The accounts of a recording.
///
/// # Errors
///
/// When an account or region is chosen that the recording does not have.
pub fn recorded(
    recording: Arc<Recording>,
    choice: &Choice,
    keeping: Option<&Keeping<'_>>,
) -> anyhow::Result<Accounts> {
    let known = recording.accounts();
    if let Some(unknown) = choice
        .accounts
        .iter()
        .find(|id| !known.iter().any(|account| account.account_id == **id))
    {
        let ids: Vec<&str> = known
            .iter()
            .map(|account| account.account_id.as_str())
            .collect();
        return Err(Hinted::new(
            format!("the recording has no account {unknown}"),
            format!("it has {}", ids.join(", ")),
        )
        .into());
    }
    let mut accounts = Accounts::default();
    let several = known.len() > 1;
    for account in known.iter().filter(|account| {
        choice.accounts.is_empty() || choice.accounts.contains(&account.account_id)
    }) {
        let regions = restricted(
            &account.account_id,
            account.regions.clone(),
            &choice.regions,
        )?;
        let partition =
            partition_of_region(account.regions.first().map_or(FIRST_REGION, String::as_str));
        let mut caller: Arc<dyn Caller> = Arc::clone(&recording) as Arc<dyn Caller>;
        if let Some(keeping) = keeping {
            let folder = if several {
                keeping.folder.join(&account.account_id)
            } else {
                keeping.folder.to_owned()
            };
            let recorder = Arc::new(Recorder::new(caller, folder, Arc::clone(&keeping.layout)));
            accounts.recorders.push(Arc::clone(&recorder));
            caller = recorder;
        }
        accounts.open.push(Account {
            account_id: account.account_id.clone(),
            partition: partition.name.to_owned(),
            main_region: partition.main_region.to_owned(),
            regions,
            caller,
            live: false,
        });
    }
    Ok(accounts)
}
