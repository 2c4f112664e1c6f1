//! That the files agree with each other and with the inventory, and how events become actions.

mod catalogue;
mod dangerous;
mod escalation;
mod event;

use std::fs;
use std::path::{Path, PathBuf};

use super::Catalogue;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All files below a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a folder of the repository")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    entries.sort();
    let below = |path: PathBuf| {
        if path.is_dir() {
            files(&path)
        } else {
            vec![path]
        }
    };
    entries.into_iter().flat_map(below).collect()
}

fn exact(action: &str) -> bool {
    Catalogue::embedded()
        .find(action)
        .is_some_and(|facts| facts.name == action)
}
