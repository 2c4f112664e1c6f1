//! Embeds the API models in `models/` and the table files in `tables/`, so that adding a service or a table is
//! adding its file.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let crate_folder = variable("CARGO_MANIFEST_DIR")?;
    let out = variable("OUT_DIR")?;
    fs::write(out.join("models.rs"), models(&crate_folder.join("models"))?)?;
    fs::write(out.join("tables.rs"), tables(&crate_folder.join("tables"))?)
}

fn variable(name: &str) -> io::Result<PathBuf> {
    env::var_os(name)
        .map(PathBuf::from)
        .ok_or_else(|| io::Error::other(format!("cargo did not set {name}")))
}

/// Files of a folder with an extension, sorted.
fn files(folder: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|known| known == extension) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn models(folder: &Path) -> io::Result<String> {
    let mut files = files(folder, "json")?;
    files.retain(|path| path.file_stem().is_some_and(|stem| stem != "endpoints"));
    let mut source = format!("static MODELS: [Embedded; {}] = [\n", files.len());
    for path in &files {
        let service = path.file_stem().unwrap_or_default();
        writeln!(
            source,
            "({service:?}, include_str!({path:?}), OnceLock::new()),"
        )
        .map_err(io::Error::other)?;
    }
    source.push_str("];\n");
    Ok(source)
}

fn tables(folder: &Path) -> io::Result<String> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            paths.extend(files(&path, "toml")?);
        }
    }
    paths.sort_by(|a, b| a.file_stem().cmp(&b.file_stem()));
    let mut source = format!("static TABLES: [(&str, &str); {}] = [\n", paths.len());
    for path in &paths {
        let name = path.file_stem().unwrap_or_default();
        writeln!(source, "({name:?}, include_str!({path:?})),").map_err(io::Error::other)?;
    }
    source.push_str("];\n");
    Ok(source)
}
