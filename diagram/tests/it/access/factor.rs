//! What stands between: verdict and second factor, as the tables have them.

use serde_json::{Value, json};
use tempfile::tempdir;

use super::{Access as _, FREE, GUARDED, critical};
use crate::lake::{Lake, edges, lines, node_of, picture};

/// The picture of a user who becomes a role that destroys a database; `how` is verdict and second factor of the way and
/// of the permission.
struct Chain {
    picture: Value,
    user: String,
    role: String,
    database: String,
}

impl Chain {
    fn drawn(way: [&str; 2], grants: &[[&str; 2]]) -> Self {
        let folder = tempdir().unwrap();
        let mut lake = Lake::default();
        let database = lake.add("rds:db", "d1_orders_shop", "shop", critical());
        let user = lake.principal("user", "anna", json!({}));
        let role = lake.principal("role", "dba", json!({}));
        for (number, how) in grants.iter().enumerate() {
            lake.grant(&role, &format!("rds:Delete{number}"), &database, *how);
        }
        lake.way(&user, "user", &role, way);
        lake.commit(folder.path(), true);
        Self {
            picture: picture(folder.path(), &["access"]),
            user,
            role,
            database,
        }
    }

    /// Label and look of the arrow between two of them.
    fn arrow(&self, from: &str, to: &str) -> (String, String) {
        let ends = (node_of(&self.picture, from), node_of(&self.picture, to));
        let edge = &edges(&self.picture, ends.0, ends.1)[0];
        let text = |field: &str| edge[field].as_str().unwrap_or("plain").to_owned();
        (text("label"), text("look"))
    }

    fn caption(&self) -> String {
        self.picture["caption"].to_string()
    }
}

#[test]
fn an_arrow_says_verdict_and_second_factor() {
    for (verdict, mfa, of_way, of_permission, look) in [
        ("allowed", "not_required", "", "destroy", "hot"),
        ("allowed", "spared", "MFA*", "destroy · MFA*", "hot"),
        ("allowed", "required", "MFA", "destroy · MFA", "plain"),
        (
            "conditional",
            "not_required",
            "if externalid",
            "destroy · if",
            "hot",
        ),
        (
            "conditional",
            "spared",
            "MFA* if externalid",
            "destroy · MFA* if",
            "hot",
        ),
        (
            "conditional",
            "required",
            "MFA if externalid",
            "destroy · MFA if",
            "plain",
        ),
        ("unknown", "not_required", "?", "destroy · ?", "unknown"),
        ("unknown", "spared", "MFA* ?", "destroy · MFA* ?", "unknown"),
        ("unknown", "required", "MFA ?", "destroy · MFA ?", "unknown"),
        ("allowed", "", "?", "destroy · ?", "unknown"),
    ] {
        let how = [verdict, mfa];
        let chain = Chain::drawn(how, &[FREE]);
        let arrow = chain.arrow(&chain.user, &chain.role);
        assert_eq!(arrow, (of_way.to_owned(), look.to_owned()), "{how:?}");
        let chain = Chain::drawn(FREE, &[how]);
        let arrow = chain.arrow(&chain.role, &chain.database);
        assert_eq!(
            arrow,
            (of_permission.to_owned(), look.to_owned()),
            "{how:?}"
        );
    }
}

#[test]
fn a_second_factor_on_the_way_counts_whatever_else_is_not_known_of_it() {
    for verdict in ["allowed", "conditional", "unknown"] {
        let chain = Chain::drawn([verdict, "required"], &[FREE]);
        let caption = chain.caption();
        assert!(
            caption.contains("0 users and 0 outsiders may destroy without a second factor\""),
            "{verdict}: {caption}"
        );
    }
}

#[test]
fn what_is_not_known_is_no_second_factor() {
    const UNKNOWN: [&str; 2] = ["unknown", "not_required"];
    let both = [GUARDED, UNKNOWN];
    for (way, grants, said, line) in [
        (
            FREE,
            &both[..1],
            "0 users and 0 outsiders may destroy without a second factor",
            "+destroyed with MFA only",
        ),
        (
            FREE,
            &both[1..],
            "0 users and 0 outsiders may destroy without a second factor, 1 perhaps, not known",
            "?perhaps destroyed without MFA",
        ),
        (
            FREE,
            &both[..],
            "0 users and 0 outsiders may destroy without a second factor, 1 perhaps, not known",
            "?perhaps destroyed without MFA",
        ),
        (
            UNKNOWN,
            &[FREE],
            "0 users and 0 outsiders may destroy without a second factor, 1 perhaps, not known",
            "destroyed by 1 role",
        ),
    ] {
        let chain = Chain::drawn(way, grants);
        let caption = chain.caption();
        assert!(caption.contains(&format!("{said}\"")), "{caption}");
        let database = node_of(&chain.picture, &chain.database);
        assert_eq!(lines(database), [line], "{way:?} {grants:?}");
    }
}
