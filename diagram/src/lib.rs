//! Pictures of an AWS account from the lake: DOT for Graphviz, and JSON that accounts for every resource.
//!
//! ```text
//! lake ──> facts ──> graph (places, parts, folding, lifted edges) ──> views ──> picture ──> dot, JSON
//! ```
//!
//! Invariants: the same run gives the same bytes, in whatever order its rows are stored; every resource that the
//! filter admits is drawn, folded into a node that is drawn, or omitted with a reason; text from outside reaches
//! DOT only through [`dot::escape`].

pub mod cli;
pub mod dot;
pub mod facts;
pub mod graph;
pub mod kinds;
pub mod layout;
pub mod look;
pub mod mermaid;
pub mod picture;
pub mod views;
