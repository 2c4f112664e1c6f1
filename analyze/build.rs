//! Embeds every check, view and derived table, so that adding one is adding its files.

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let mut out = String::new();
    for (constant, folder) in [
        ("CHECKS", "checks"),
        ("VIEWS", "views"),
        ("DERIVED", "derive"),
    ] {
        println!("cargo:rerun-if-changed={folder}");
        let mut files = Vec::new();
        list(&root.join(folder), &mut files)?;
        files.sort();
        writeln!(out, "pub(crate) const {constant}: &[(&str, &str)] = &[")?;
        for file in files {
            let name = file.strip_prefix(root.join(folder))?.display().to_string();
            writeln!(
                out,
                "    ({name:?}, include_str!({:?})),",
                file.display().to_string()
            )?;
        }
        writeln!(out, "];")?;
    }
    fs::File::create(PathBuf::from(env::var("OUT_DIR")?).join("embedded.rs"))?
        .write_all(out.as_bytes())?;
    Ok(())
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "sql" || extension == "toml")
        {
            files.push(path);
        }
    }
    Ok(())
}
