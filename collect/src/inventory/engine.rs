//! One account: calls become rows, details are merged into them, tables below are asked for.
//!
//! Invariants: every call that fails leaves an entry for each table, or row, that lacks something because of it, and
//! the rows of the pages before are kept; a row is written whatever its details answer, with the operations that
//! failed named in `incomplete`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt as _};
use futures::{FutureExt as _, future};
use indicatif::ProgressBar;
use jmespath::Rcvar;
use serde_json::{Map, Value};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::answers::{absent, rows_of};
use super::collected::Collected;
use super::details;
use super::errors::{ErrorRow, kind_name};
use super::expression::{Place, json, variable};
use super::plan::{Listing, Plan};
use super::rows::{build, with_parent};
use super::secrets::hide;
use super::tablefile::TableFile;
use crate::aws::{Call, CallError, Caller, ErrorKind};

/// Answers with rows that are worked on at a time in one account: the bound on what is held in memory.
const LISTINGS_AT_A_TIME: usize = 48;
/// Rows of one table whose details are under way at a time.
const ROWS_AT_A_TIME: usize = 128;
/// Answers that have to be waited for, and so are never read in parts.
const ASKED_WHOLE: [&str; 2] = ["GetCredentialReport", "GetServiceLastAccessedDetails"];

/// An account to collect.
pub struct Account {
    /// 12 digits.
    pub account_id: String,
    /// Partition, e.g. `aws`.
    pub partition: String,
    /// Region that global services are asked in.
    pub main_region: String,
    /// Regions to collect, sorted.
    pub regions: Vec<String>,
    /// Who answers its calls.
    pub caller: Arc<dyn Caller>,
    /// AWS answers, not a recording.
    pub live: bool,
}

/// The parent's row, as calls need it and as rows below may show it.
#[derive(Clone)]
pub(super) struct Parent {
    raw: Rcvar,
    plain: Rcvar,
}

/// A row while its details are asked for.
pub(super) struct Pending {
    /// The row with the details' answers so far.
    pub row: Rcvar,
    /// Operations that failed for it.
    pub incomplete: Vec<String>,
    /// Members that lack an answer because of that.
    pub missing: Vec<String>,
    /// The failures: operation, parameter, error.
    pub failures: Vec<(String, Option<String>, CallError)>,
}

/// Collection of one account.
pub struct Engine<'a> {
    plan: &'a Plan,
    account: &'a Account,
    calls: &'a Semaphore,
    progress: &'a ProgressBar,
    collected: Mutex<Collected>,
}

impl<'a> Engine<'a> {
    /// Prepares an account. `calls` bounds the calls in flight over all accounts.
    pub fn new(
        plan: &'a Plan,
        account: &'a Account,
        calls: &'a Semaphore,
        progress: &'a ProgressBar,
    ) -> Self {
        Self {
            plan,
            account,
            calls,
            progress,
            collected: Mutex::default(),
        }
    }

    /// Collects everything the plan asks for.
    pub async fn run(self) -> Collected {
        let account = self.account;
        let listings = self.plan.listings(
            &account.partition,
            &account.main_region,
            &account.account_id,
            &account.regions,
        );
        self.progress
            .inc_length((listings.len() + account.regions.len()) as u64);
        let tables = stream::iter(&listings)
            .for_each_concurrent(LISTINGS_AT_A_TIME, |listing| self.listing(listing));
        let sweep = future::join_all(account.regions.iter().map(|region| self.sweep(region)));
        future::join(tables, sweep).await;
        self.collected
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn collected(&self) -> MutexGuard<'_, Collected> {
        self.collected
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn plan_table(&self, index: usize) -> &'a TableFile {
        &self.plan.tables[index]
    }

    /// Makes a call when its turn comes.
    pub(super) async fn ask(&self, call: &Call) -> Result<Value, CallError> {
        let answer = match (call.service.as_str(), call.operation.as_str()) {
            ("iam", "GetCredentialReport") => {
                let _turn = self.turn().await;
                super::report::credential_report(self.account, call).await
            }
            // Many are waited for at a time, so that no turn is kept while waiting.
            ("iam", "GetServiceLastAccessedDetails") => {
                let once = || async {
                    let _turn = self.turn().await;
                    self.account.caller.call(call).await
                };
                super::last_accessed::finished(once, self.account.live).await
            }
            _ => {
                let _turn = self.turn().await;
                self.account.caller.call(call).await
            }
        };
        self.progress.inc(1);
        answer
    }

    /// Waits until another call may be made. The semaphore is never closed; if it were, the call would merely not wait.
    async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.calls.acquire().await.ok()
    }

    /// Announces a call to the progress bar.
    pub(super) fn expect_call(&self) {
        self.progress.inc_length(1);
    }

    pub(super) fn call(
        &self,
        service: &str,
        operation: &str,
        region: &str,
        params: Map<String, Value>,
    ) -> Call {
        Call {
            account_id: self.account.account_id.clone(),
            region: region.to_owned(),
            service: service.to_owned(),
            operation: operation.to_owned(),
            params,
        }
    }

    pub(super) fn main_region(&self) -> &str {
        &self.account.main_region
    }

    /// The answer of a list, in parts where the rows allow that.
    fn parts<'s>(
        &'s self,
        call: &'s Call,
        by_element: bool,
    ) -> BoxStream<'s, Result<Rcvar, CallError>> {
        if !by_element || ASKED_WHOLE.contains(&call.operation.as_str()) {
            let whole = self.ask(call).map(|answer| answer.map(variable));
            return stream::once(whole).boxed();
        }
        let next = move |mut pages: BoxStream<'s, Result<Value, CallError>>| async move {
            let turn = self.turn().await;
            let page = pages.next().await;
            drop(turn);
            if page.is_none() {
                self.progress.inc(1);
            }
            Some((page?.map(variable), pages))
        };
        stream::unfold(self.account.caller.pages(call), next).boxed()
    }

    async fn listing(&self, listing: &Listing) {
        let mut tables = listing.tables.iter();
        let by_element = tables.all(|&index| self.plan_table(index).list.rows.is_by_element());
        let mut parts = self.parts(&listing.call, by_element);
        while let Some(answer) = parts.next().await {
            let found: Vec<_> = listing
                .tables
                .iter()
                .map(|&index| {
                    let table = self.plan_table(index);
                    let answer = match &answer {
                        Ok(answer) => Ok(Arc::clone(answer)),
                        Err(error) => absent(table.list.absent.as_ref(), error),
                    };
                    (index, rows_of(table, &listing.place, answer))
                })
                .collect();
            // Rows are let go one by one from here on.
            drop(answer);
            let tables = found
                .into_iter()
                .map(|(index, found)| self.answered(index, &listing.place, found, None, None));
            future::join_all(tables).await;
        }
    }

    /// Goes on with what the answer of a table's list holds.
    async fn answered(
        &self,
        index: usize,
        place: &Place,
        found: Result<Vec<Rcvar>, CallError>,
        parent: Option<Parent>,
        parameter: Option<String>,
    ) {
        match found {
            Ok(rows) => self.rows(index, place, rows, parent).await,
            // Where a service is not offered there is nothing to list.
            Err(error) if error.kind == ErrorKind::NotOffered => {}
            Err(error) => {
                let arn = parent.and_then(|parent| self.gone(index, place, &parent, &error));
                self.table_failed(index, place, parameter, arn.as_deref(), &error);
            }
        }
    }

    /// ARN of the parent, where the rows below it can't be listed because it is there no more. Then they are
    /// missing of this one only.
    fn gone(
        &self,
        index: usize,
        place: &Place,
        parent: &Parent,
        error: &CallError,
    ) -> Option<String> {
        let name = self.plan_table(index).list.parent.as_ref()?;
        let table = self.plan.tables.iter().find(|table| table.name == *name)?;
        let arn = table.identity.arn.text(&parent.raw, place).ok()?;
        arn.filter(|_| error.kind == ErrorKind::NotFound)
    }

    /// Enters the failure of a list for its table and for every table below.
    fn table_failed(
        &self,
        index: usize,
        place: &Place,
        parameter: Option<String>,
        parent: Option<&str>,
        error: &CallError,
    ) {
        let table = self.plan_table(index);
        let entry = ErrorRow {
            resource_arn: parent.map(str::to_owned),
            ..self.entry(place, table, &table.list.operation)
        };
        let mut collected = self.collected();
        for concerned in self.plan.concerned(index) {
            collected.errors.push(
                ErrorRow {
                    table: self.plan_table(concerned).name.clone(),
                    resource_id: parameter.clone(),
                    ..entry.clone()
                }
                .failed(error),
            );
        }
    }

    fn entry(&self, place: &Place, table: &TableFile, operation: &str) -> ErrorRow {
        ErrorRow {
            account_id: place.account_id.clone(),
            region: place.column_region.clone(),
            table: table.name.clone(),
            service: table.service.clone(),
            operation: operation.to_owned(),
            resource_arn: None,
            resource_id: None,
            kind: kind_name(ErrorKind::Malformed),
            code: "InvalidExpression".to_owned(),
            message: String::new(),
        }
    }

    /// Rows of a table: details, then what is kept of them, then the tables below. Boxed because tables nest.
    fn rows<'s>(
        &'s self,
        index: usize,
        place: &'s Place,
        rows: Vec<Rcvar>,
        parent: Option<Parent>,
    ) -> BoxFuture<'s, ()> {
        async move {
            let table = self.plan_table(index);
            let mut rows = rows.into_iter();
            loop {
                let batch: Vec<Pending> = rows
                    .by_ref()
                    .take(ROWS_AT_A_TIME)
                    .map(Pending::new)
                    .collect();
                if batch.is_empty() {
                    return;
                }
                let raw = parent.as_ref().map(|parent| &parent.raw);
                let batch = details::ask(self, table, place, raw, batch).await;
                if self.plan.wanted[index] {
                    for pending in &batch {
                        self.keep(index, place, pending, parent.as_ref());
                    }
                }
                for &child in &self.plan.children[index] {
                    let below = batch
                        .iter()
                        .map(|pending| self.below(child, table, place, pending));
                    future::join_all(below).await;
                }
            }
        }
        .boxed()
    }

    /// Asks for the rows of a table that hang below one row.
    async fn below(
        &self,
        child: usize,
        parent_table: &TableFile,
        place: &Place,
        pending: &Pending,
    ) {
        let table = self.plan_table(child);
        let params = details::parameters(&table.list.params, &table.list.bind, &pending.row, place);
        let (params, parameter) = match params {
            Ok(params) => params,
            Err(error) => return self.table_failed(child, place, None, None, &error),
        };
        self.expect_call();
        let call = self.call(&table.service, &table.list.operation, &place.region, params);
        let mut plain = json(&pending.row);
        // What the rows below show of their parent has no secrets either; the parent's own row tells where they were.
        hide(&mut plain, &parent_table.secrets);
        let parent = Parent {
            raw: Arc::clone(&pending.row),
            plain: variable(plain),
        };
        let mut parts = self.parts(&call, table.list.rows.is_by_element());
        while let Some(answer) = parts.next().await {
            let answer = answer.or_else(|error| absent(table.list.absent.as_ref(), &error));
            let found = rows_of(table, place, answer);
            let (parent, parameter) = (Some(parent.clone()), parameter.clone());
            self.answered(child, place, found, parent, parameter).await;
        }
    }

    /// Keeps a finished row, and what failed on the way to it.
    fn keep(&self, index: usize, place: &Place, pending: &Pending, parent: Option<&Parent>) {
        let table = self.plan_table(index);
        let built = build(
            table,
            place,
            &pending.row,
            parent.map(|parent| &parent.plain),
            &pending.incomplete,
        );
        let mut collected = self.collected();
        for (operation, parameter, error) in &pending.failures {
            let entry = ErrorRow {
                resource_arn: built.arn.clone(),
                resource_id: parameter.clone(),
                ..self.entry(place, table, operation)
            };
            collected.errors.push(entry.failed(error));
        }
        for (part, reason) in &built.faults {
            collected.errors.push(ErrorRow {
                resource_arn: built.arn.clone(),
                message: format!("{part}: {reason}"),
                ..self.entry(place, table, &table.list.operation)
            });
        }
        if built.arn.is_none() {
            let entry = self.entry(place, table, &table.list.operation);
            collected.errors.push(ErrorRow {
                code: "NoArn".to_owned(),
                message: "the row does not say what its ARN is made of".to_owned(),
                ..entry
            });
        }
        let kept = collected.keep(index, table, place, built);
        if let Err(error) = kept {
            collected.broken.get_or_insert(error);
        }
    }

    /// Asks for the tags of all resources of a region, whatever their service.
    async fn sweep(&self, region: &str) {
        let call = self.call(
            "resourcegroupstaggingapi",
            "GetResources",
            region,
            Map::new(),
        );
        let answer = self.ask(&call).await;
        let mut collected = self.collected();
        let error = match answer {
            Ok(answer) => match answer
                .get("ResourceTagMappingList")
                .and_then(Value::as_array)
            {
                Some(mappings) => {
                    for mapping in mappings {
                        collected.tagged(mapping);
                    }
                    return;
                }
                None => CallError::new(
                    ErrorKind::Malformed,
                    "MalformedResponse",
                    "no ResourceTagMappingList",
                ),
            },
            Err(error) if error.kind == ErrorKind::NotOffered => return,
            Err(error) => error,
        };
        let entry = ErrorRow {
            account_id: self.account.account_id.clone(),
            region: region.to_owned(),
            table: "resources".to_owned(),
            service: "tag".to_owned(),
            operation: "GetResources".to_owned(),
            resource_arn: None,
            resource_id: None,
            kind: "",
            code: String::new(),
            message: String::new(),
        };
        collected.errors.push(entry.failed(&error));
    }
}

impl Pending {
    fn new(row: Rcvar) -> Self {
        Self {
            row,
            incomplete: Vec::new(),
            missing: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// Notes that a detail has no answer.
    pub(super) fn lacks(&mut self, operation: &str, into: &str) {
        if !self.incomplete.iter().any(|known| known == operation) {
            self.incomplete.push(operation.to_owned());
        }
        self.missing.push(into.to_owned());
    }
}

/// The row with its parent, for parameters of calls.
pub(super) fn context(row: &Rcvar, parent: Option<&Rcvar>) -> Rcvar {
    with_parent(row, parent)
}
