//! The tool as a user meets it: a lake on disk, the binary, Graphviz.

mod access;
mod account;
mod diff;
mod dr;
mod exposure;
mod folder;
mod folding;
mod lake;
mod palette;
mod placing;
mod rendering;
mod views;
