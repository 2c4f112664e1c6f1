//! Pictures that `diagram` made and the report takes along.

use std::path::Path;

use anyhow::Context as _;

/// Largest picture taken along, in bytes.
const LARGEST: u64 = 10_000_000;

/// Where a picture is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Beside the top risks.
    Risks,
    /// Beside what changed.
    Changes,
    /// In a rule's chapter.
    Rule(u8),
}

/// A picture.
#[derive(Debug)]
pub struct Picture {
    /// Name of its file: ASCII letters, digits, dots, hyphens and underscores.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl Picture {
    /// Its place in the report's folder.
    pub fn path(&self) -> String {
        format!("pictures/{}", self.name)
    }

    /// What it shows: the name of the view, and of the system when it is one's.
    pub fn title(&self) -> String {
        self.stem().replace(['_', '.'], " ")
    }

    fn stem(&self) -> &str {
        self.name
            .rsplit_once('.')
            .map_or(&self.name, |(stem, _)| stem)
    }

    fn shown(&self) -> Shown {
        let stem = self.stem();
        let view = stem.strip_prefix("no-system-").unwrap_or(stem);
        match view.split('-').next().unwrap_or_default() {
            "landscape" => Shown::Risks,
            "diff" => Shown::Changes,
            "access" => Shown::Rule(2),
            "exposure" => Shown::Rule(5),
            "dr" => Shown::Rule(7),
            _ => Shown::Rule(1),
        }
    }
}

/// Pictures, by name.
#[derive(Debug, Default)]
pub struct Pictures(Vec<Picture>);

impl Pictures {
    /// Reads the SVG and PNG files of a folder. Those that a report can't carry are named to `warn`.
    ///
    /// # Errors
    /// When the folder or a picture can't be read.
    pub fn load(folder: &Path, warn: &mut dyn FnMut(String)) -> anyhow::Result<Self> {
        let fail = || format!("can't read the pictures in {}", folder.display());
        let mut pictures = Vec::new();
        for entry in std::fs::read_dir(folder).with_context(fail)? {
            let path = entry.with_context(fail)?.path();
            let is_picture = path
                .extension()
                .is_some_and(|ending| ending == "svg" || ending == "png");
            if !is_picture || !path.is_file() {
                continue;
            }
            let plain = |name: &&str| {
                name.bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
            };
            let Some(name) = path
                .file_name()
                .and_then(|name| name.to_str())
                .filter(plain)
            else {
                warn(format!(
                    "{} is left out: its name would not survive a link",
                    path.display()
                ));
                continue;
            };
            if path.metadata().with_context(fail)?.len() > LARGEST {
                warn(format!(
                    "{} is left out: it is larger than 10 MB",
                    path.display()
                ));
                continue;
            }
            pictures.push(Picture {
                name: name.to_owned(),
                bytes: std::fs::read(&path).with_context(fail)?,
            });
        }
        pictures.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self(pictures))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Picture> {
        self.0.iter()
    }

    /// Those of a chapter.
    pub fn of(&self, chapter: Shown) -> impl Iterator<Item = &Picture> {
        self.0
            .iter()
            .filter(move |picture| picture.shown() == chapter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_stand_where_they_belong() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "landscape.svg",
            "system-checkout.png",
            "dr.svg",
            "notes.txt",
            "a b.svg",
        ] {
            std::fs::write(folder.path().join(name), name).unwrap();
        }
        let mut warnings = Vec::new();
        let pictures = Pictures::load(folder.path(), &mut |line| warnings.push(line)).unwrap();
        let of = |chapter| pictures.of(chapter).map(Picture::path).collect::<Vec<_>>();
        assert_eq!(of(Shown::Risks), ["pictures/landscape.svg"]);
        assert_eq!(of(Shown::Rule(1)), ["pictures/system-checkout.png"]);
        assert_eq!(of(Shown::Rule(7)), ["pictures/dr.svg"]);
        assert_eq!((pictures.iter().count(), warnings.len()), (3, 1));
    }
}
