//! What holds in every view: hostile names, the order of rows, odd and large lakes; Mermaid, and labels within a column.

use std::process::Output;

use serde_json::json;
use tempfile::tempdir;

use crate::account::check;
use crate::diff::diff;
use crate::dr::{store, stores};
use crate::exposure::ways;
use crate::lake::{Lake, diagram, picture, shop, stderr, stdout};
use crate::rendering::{HOSTILE, svg};

#[test]
fn small_pictures_are_mermaid_and_large_ones_an_error() {
    let folder = tempdir().unwrap();
    shop().commit(folder.path(), true);
    let output = diagram(folder.path(), &["landscape", "--format", "mermaid"]);
    let text = stdout(&output);
    assert!(
        text.starts_with("flowchart LR\n") && text.contains("checkout"),
        "{text}"
    );
    assert_eq!(
        text.matches("subgraph ").count(),
        text.lines().filter(|line| line.trim() == "end").count()
    );
    let folder = tempdir().unwrap();
    let mut lake = Lake::default();
    for number in 0..70 {
        lake.add(
            "s3:bucket",
            &format!("b{number}"),
            &format!("s{number}"),
            json!({ "exposed": true }),
        );
    }
    lake.commit(folder.path(), true);
    let output = diagram(folder.path(), &["landscape", "--format", "mermaid"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    assert!(
        stderr(&output).contains("70 nodes and 0 edges, Mermaid is for up to 60"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn labels_between_cards_of_one_column_do_not_stop_dot() {
    let folder = tempdir().unwrap();
    let mut lake = Lake::default();
    let vpc = lake.add("ec2:vpc", "vpc-1", "platform", json!({}));
    let subnet = lake.add(
        "ec2:subnet",
        "subnet-1",
        "platform",
        json!({ "zone": "eu-west-1a" }),
    );
    lake.link("in_vpc", &subnet, &vpc, "");
    let mut groups = Vec::new();
    for number in 0..4 {
        let machine = lake.add(
            "ec2:instance",
            &format!("i-{number}"),
            "shop",
            json!({ "name": format!("a{number}_f{number}_shop") }),
        );
        let group = lake.add(
            "ec2:security-group",
            &format!("sg-{number}"),
            "shop",
            json!({}),
        );
        lake.link("in_vpc", &machine, &vpc, "");
        lake.link("in_subnet", &machine, &subnet, "");
        lake.link("has_security_group", &machine, &group, "");
        groups.push(group);
    }
    for (from, to) in [(0, 3), (1, 3), (2, 0), (2, 1)] {
        lake.link("allows", &groups[from], &groups[to], "tcp/5432");
    }
    lake.commit(folder.path(), true);
    let dot = stdout(&diagram(folder.path(), &["system", "--system", "shop"]));
    assert_eq!(dot.matches("xlabel=< 5432 >").count(), 4, "{dot}");
    assert!(!dot.contains("[label=< 5432 >"), "{dot}");
    svg(&dot);
}

#[test]
fn hostile_names_are_text_in_every_view() {
    let folder = tempdir().unwrap();
    for time in ["2026-11-09T06:00:00Z", "2026-11-16T06:00:00Z"] {
        let mut lake = Lake::default();
        for (number, name) in HOSTILE.iter().enumerate() {
            let more = json!({
                "name": name, "summary": name, "environment": name, "exposed": true, "exposure": name, "data_store": true,
                "dr": [name], "dr_unmet": [name, "backup"], "tags": { "x": format!("{name}{time}") },
            });
            let store = lake.add("rds:db", &format!("d-{number}"), "shop", more);
            lake.path("internet", &store, 1, "entry", None, Some(true));
            lake.hops.last_mut().unwrap()["detail"] = (*name).into();
            lake.paths.last_mut().unwrap()["detail"] = (*name).into();
            lake.link("replicates_to", &store, name, name);
        }
        lake.commit_at(folder.path(), true, time);
    }
    let mut dots = vec![stdout(&diff(folder.path(), &[]))];
    for view in ["dr", "exposure"] {
        dots.push(stdout(&diagram(folder.path(), &[view])));
        let mermaid = stdout(&diagram(folder.path(), &[view, "--format", "mermaid"]));
        assert!(
            mermaid.starts_with("flowchart")
                && !mermaid.contains("<script")
                && !mermaid.contains("javascript:"),
            "{mermaid}"
        );
    }
    for dot in dots {
        let drawn = svg(&dot);
        assert!(
            !drawn.contains("<script") && !drawn.contains("href=\"javascript"),
            "{drawn}"
        );
        assert!(
            !dot.chars()
                .any(|c| handoff::text::is_unprintable(c) && c != '\n'),
            "{dot}"
        );
    }
}

#[test]
fn the_order_of_rows_changes_no_byte_of_any_view() {
    let (first, second) = (tempdir().unwrap(), tempdir().unwrap());
    for (folder, reversed) in [(&first, false), (&second, true)] {
        let (mut lake, _) = stores();
        let (more, _) = ways();
        lake.resources.extend(more.resources);
        lake.context.extend(more.context);
        lake.paths.extend(more.paths);
        lake.hops.extend(more.hops);
        let mut earlier = lake.clone();
        earlier.resources.pop();
        earlier.context.pop();
        for lake in [&mut earlier, &mut lake] {
            if reversed {
                lake.resources.reverse();
                lake.context.reverse();
                lake.relationships.reverse();
                lake.findings.reverse();
                lake.paths.reverse();
                lake.hops.reverse();
                lake.points.reverse();
            }
        }
        earlier.commit_at(folder.path(), true, "2026-11-09T06:00:00Z");
        lake.commit_at(folder.path(), true, "2026-11-16T06:00:00Z");
    }
    for view in ["dr", "exposure"] {
        let (one, other) = (
            diagram(first.path(), &[view]),
            diagram(second.path(), &[view]),
        );
        assert!(
            one.status.success() && !one.stdout.is_empty(),
            "{}",
            stderr(&one)
        );
        assert_eq!(stdout(&one), stdout(&other));
    }
    let (one, other) = (diff(first.path(), &[]), diff(second.path(), &[]));
    assert!(one.status.success(), "{}", stderr(&one));
    assert_eq!(stdout(&one), stdout(&other));
}

#[test]
fn odd_lakes_are_drawn_by_every_view() {
    let mut bare = Lake::default();
    bare.add(
        "kms:key",
        "only",
        "",
        json!({ "environment": null, "exposed": null }),
    );
    let (mut circle, [met, _, _, standby]) = stores();
    circle.link("replica_of", &met, &standby, "");
    for (lake, total) in [(Lake::default(), 0), (bare, 1), (circle, 5)] {
        let folder = tempdir().unwrap();
        lake.commit_at(folder.path(), true, "2026-11-09T06:00:00Z");
        lake.commit_at(folder.path(), true, "2026-11-16T06:00:00Z");
        for view in ["dr", "exposure"] {
            check(&picture(folder.path(), &[view]), total);
            svg(&stdout(&diagram(folder.path(), &[view])));
        }
        svg(&stdout(&diff(folder.path(), &[])));
    }
}

#[test]
fn fifty_thousand_data_stores_are_a_picture_in_every_view() {
    let folder = tempdir().unwrap();
    let (mut before, mut after) = (Lake::default(), Lake::default());
    for number in 0..50_000 {
        for (lake, tag) in [(&mut before, "a"), (&mut after, "b")] {
            let more = store(json!({
                "name": format!("a{number}_f{}_big", number % 400), "dr": ["backup"], "dr_unmet": ["backup"],
                "tags": { "Owner": if number % 10 == 0 { tag } else { "a" } },
            }));
            let store = lake.add("dynamodb:table", &format!("t-{number}"), "big", more);
            lake.path("internet", &store, 1, "data", Some(443), Some(true));
        }
    }
    before.commit_at(folder.path(), true, "2026-11-09T06:00:00Z");
    after.commit_at(folder.path(), true, "2026-11-16T06:00:00Z");
    let views: [(&str, &dyn Fn() -> Output); 3] = [
        ("dr", &|| diagram(folder.path(), &["dr"])),
        ("exposure", &|| diagram(folder.path(), &["exposure"])),
        ("diff", &|| diff(folder.path(), &[])),
    ];
    for (view, draw) in views {
        let output = draw();
        assert!(output.status.success(), "{view}: {}", stderr(&output));
        assert!(stdout(&output).lines().count() < 400, "{view}");
    }
}
