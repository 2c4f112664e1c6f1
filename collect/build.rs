//! Lists the API models in `models/` for `src/aws/model.rs`, so that adding a service is adding its file.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let variable = |name: &str| {
        env::var_os(name)
            .map(PathBuf::from)
            .ok_or_else(|| io::Error::other(format!("cargo did not set {name}")))
    };
    let models = variable("CARGO_MANIFEST_DIR")?.join("models");
    println!("cargo::rerun-if-changed={}", models.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(&models)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            files.push(path);
        }
    }
    files.retain(|path| path.file_stem().is_some_and(|stem| stem != "endpoints"));
    files.sort();
    let mut table = format!("static MODELS: [Embedded; {}] = [\n", files.len());
    for path in &files {
        let service = path.file_stem().unwrap_or_default();
        writeln!(
            table,
            "({service:?}, include_str!({path:?}), OnceLock::new()),"
        )
        .map_err(io::Error::other)?;
    }
    table.push_str("];\n");
    fs::write(variable("OUT_DIR")?.join("models.rs"), table)
}
