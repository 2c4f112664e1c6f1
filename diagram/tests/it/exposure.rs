//! The view `exposure`: open ways, and those of which nobody knows.

use serde_json::json;
use tempfile::tempdir;

use crate::account::check;
use crate::lake::{Lake, diagram, edges, lines, node_of, picture, shop, stderr, stdout, titled};
use crate::rendering::svg;

/// Internet, bastion, worker, database; a queue of which nobody knows; and a bucket that nothing reaches.
pub fn ways() -> (Lake, [String; 5]) {
    let mut lake = Lake::default();
    let critical = json!({ "importance": "critical", "importance_rank": 3 });
    let open = json!({ "exposed": true, "exposure": "tcp/22 from 0.0.0.0/0" });
    let bastion = lake.add("ec2:instance", "b1_bastion_shop", "shop", open);
    let worker = lake.add("ec2:instance", "k1_worker_shop", "shop", json!({}));
    let database = lake.add("rds:db", "d9_stock_shop", "shop", critical);
    let queue = lake.add("sqs:queue", "q1_orders_shop", "shop", json!({}));
    let closed = lake.add("s3:bucket", "closed", "shop", json!({}));
    lake.path("internet", &bastion, 1, "entry", Some(22), Some(true));
    lake.path(&bastion, &worker, 2, "compute", Some(22), Some(true));
    lake.path(&worker, &database, 3, "data", Some(3306), Some(true));
    lake.path(&bastion, &queue, 2, "data", None, None);
    (lake, [bastion, worker, database, queue, closed])
}

#[test]
fn the_way_to_critical_data_is_hot_and_what_is_closed_is_not_drawn() {
    let folder = tempdir().unwrap();
    let (lake, [bastion, worker, database, queue, closed]) = ways();
    lake.commit(folder.path(), true);
    let exposure = picture(folder.path(), &["exposure"]);
    check(&exposure, 5);
    let internet = titled(&exposure, "anyone")[0];
    let node = |arn: &str| node_of(&exposure, arn);
    let hot = [
        edges(&exposure, internet, node(&bastion)),
        edges(&exposure, node(&bastion), node(&worker)),
        edges(&exposure, node(&worker), node(&database)),
    ];
    for edge in &hot {
        assert_eq!((edge.len(), &edge[0]["look"]), (1, &json!("hot")));
    }
    assert_eq!(hot[2][0]["label"], "3306");
    assert!(hot[2][0]["hops"].to_string().contains("security-group"));
    assert_eq!(lines(node(&database)), ["3 hops from the internet"]);
    let unknown = edges(&exposure, node(&bastion), node(&queue));
    assert_eq!(unknown[0]["look"], "unknown");
    assert_eq!(lines(node(&queue)), ["?not known whether reached"]);
    let omitted = exposure["omitted"].to_string();
    assert!(
        omitted.contains(&closed) && omitted.contains("no known way"),
        "{omitted}"
    );
    svg(&stdout(&diagram(folder.path(), &["exposure"])));
}

#[test]
fn who_comes_in_everywhere_is_words_but_on_the_way_to_critical_data() {
    let folder = tempdir().unwrap();
    let (mut lake, [bastion, ..]) = ways();
    let open = json!({ "exposed": true, "exposure": "tcp/443 from 0.0.0.0/0" });
    let entries: Vec<String> = (0..10)
        .map(|number| {
            lake.add(
                "ec2:instance",
                &format!("w{number}"),
                &format!("s{number}"),
                open.clone(),
            )
        })
        .collect();
    for (number, entry) in entries.iter().enumerate() {
        let open = (number > 0).then_some(true);
        lake.path("internet", entry, 1, "entry", Some(443), open);
    }
    lake.commit(folder.path(), true);
    let exposure = picture(folder.path(), &["exposure"]);
    check(&exposure, 15);
    let internet = titled(&exposure, "anyone")[0];
    let hot = edges(&exposure, internet, node_of(&exposure, &bastion));
    assert_eq!((hot.len(), &hot[0]["look"]), (1, &json!("hot")));
    for (number, entry) in entries.iter().enumerate() {
        let node = node_of(&exposure, entry);
        assert!(edges(&exposure, internet, node).is_empty());
        let line = if number > 0 {
            "from anyone: 443"
        } else {
            "?from anyone: 443"
        };
        assert!(lines(node).contains(&line.to_owned()), "{node}");
    }
    svg(&stdout(&diagram(folder.path(), &["exposure"])));
}

#[test]
fn what_leads_to_a_system_is_shown_and_not_counted() {
    let folder = tempdir().unwrap();
    let (mut lake, [bastion, _, database, ..]) = ways();
    for row in lake.context.iter_mut() {
        if row["arn"] != database {
            row["system"] = "platform".into();
        }
    }
    lake.commit(folder.path(), true);
    let exposure = picture(folder.path(), &["exposure", "--system", "shop"]);
    check(&exposure, 1);
    let before = titled(&exposure, "b1_bastion_shop")[0];
    assert_eq!(
        (&before["dashed"], &before["members"]),
        (&json!(true), &json!([])),
        "{bastion}"
    );
}

#[test]
fn paths_in_circles_end() {
    let folder = tempdir().unwrap();
    let (mut lake, [bastion, worker, database, ..]) = ways();
    lake.path(&database, &bastion, 4, "entry", Some(22), Some(true));
    lake.path(&worker, &bastion, 3, "compute", Some(22), Some(true));
    lake.commit(folder.path(), true);
    check(&picture(folder.path(), &["exposure"]), 5);
}

#[test]
fn without_the_tables_exposure_says_what_to_do() {
    let folder = tempdir().unwrap();
    shop().commit(folder.path(), false);
    let output = diagram(folder.path(), &["exposure"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("run analyze on it first"),
        "{}",
        stderr(&output)
    );
}
