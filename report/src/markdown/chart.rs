//! Charts that GitHub and GitLab draw from text.

use super::words::span_of;

/// Length a chart stays below, in characters; longer ones are not drawn.
const LIMIT: usize = 5_000;
/// Points that have room for a label of their own.
const LABELLED: usize = 12;

/// A figure per run as a bar chart; `labels` are days. Nothing when there are fewer than two points.
pub fn bars(title: &str, unit: &str, labels: &[String], values: &[u64]) -> Option<String> {
    if labels.len() != values.len() || values.len() < 2 {
        return None;
    }
    let axis = if labels.len() <= LABELLED {
        let days: Vec<String> = labels.iter().map(|label| format!("\"{label}\"")).collect();
        format!("[{}]", days.join(", "))
    } else {
        format!("\"runs, {}\" 1 --> {}", span_of(labels), labels.len())
    };
    let most = values.iter().max().copied().unwrap_or(0).max(1);
    let values: Vec<String> = values.iter().map(u64::to_string).collect();
    let chart = format!(
        "```mermaid\nxychart-beta\n  title \"{title}\"\n  x-axis {axis}\n  y-axis \"{unit}\" 0 --> {most}\n  bar [{}]\n```\n",
        values.join(", ")
    );
    (chart.len() < LIMIT).then_some(chart)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charts_stay_small_and_have_two_points() {
        let labels: Vec<String> = (1..=52).map(|week| format!("2026-01-{week:02}")).collect();
        let values = vec![u64::MAX; 52];
        assert!(bars("t", "count", &labels, &values).unwrap().len() < LIMIT);
        assert_eq!(bars("t", "count", &labels[..1], &values[..1]), None);
        assert_eq!(bars("t", "count", &labels, &values[..1]), None);
        let few = bars("open", "count", &labels[..2], &[0, 0]).unwrap();
        assert!(
            few.contains(
                "x-axis [\"2026-01-01\", \"2026-01-02\"]\n  y-axis \"count\" 0 --> 1\n  bar [0, 0]"
            ),
            "{few}"
        );
    }
}
