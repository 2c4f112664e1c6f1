//! The markdown that chapters are written in: values made harmless, pages with a bound.

pub mod chart;
pub mod escape;
pub mod links;
pub mod page;
pub mod words;

pub use escape::{code, fence, html, text};
pub use links::{Links, Place};
pub use page::{Align, Page, Table};
