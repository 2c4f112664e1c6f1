//! The tool as a user meets it: a lake on disk, the binary, Graphviz.

mod account;
mod folding;
mod lake;
mod palette;
mod placing;
mod rendering;
mod views;
