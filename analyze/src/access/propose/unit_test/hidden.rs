//! What could not be seen is not taken for unused.

use super::operators;
use crate::access::propose::outcome::State;

#[test]
fn a_group_that_could_not_be_read_hides_what_it_grants() {
    let account = operators().user("emil", &["ops", "lost"], None);
    let proposal = account.proposal();
    assert_eq!(
        proposal.plan.outcomes[proposal.index("group/ops")].state,
        State::Replaced
    );
    assert!(
        proposal.proof.json()["remaining"]
            .to_string()
            .contains("could not be read")
    );
}

#[test]
fn what_a_trail_leaves_out_stays_granted() {
    let reading = operators().proposal();
    let outcome = &reading.plan.outcomes[reading.index("group/ops")];
    assert!(!outcome.after.contains("rds:DescribeDBClusters"));
    let mut writing = operators();
    writing
        .rows
        .retain(|(table, row)| *table != "cloudtrail_events" || row["read_only"] != "true");
    let proposal = writing.proposal();
    let outcome = &proposal.plan.outcomes[proposal.index("group/ops")];
    assert!(
        outcome.after.contains("rds:DescribeDBClusters"),
        "nothing shows who reads"
    );
    assert!(!outcome.after.contains("rds:DeleteDBCluster"));
}
