//! What a template can see: itself, its neighbours in the office's folder, and the paper as `document.json` and
//! `model.json`. Nothing else: no package, no other file, and no clock but the paper's own.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
};

use typst::{
    Library, LibraryExt as _, World,
    diag::{FileError, FileResult},
    foundations::{Bytes, Datetime, Duration},
    syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot},
    text::{Font, FontBook},
    utils::LazyHash,
};

/// Of a file in the office's folder.
const MOST_FILE: u64 = 16 * 1024 * 1024;
const MOST_FONTS: usize = 64;

/// Takar's own, where the office has none.
const OWN: [(&str, &str); 4] = [
    ("base.typ", include_str!("../templates/base.typ")),
    ("report.typ", include_str!("../templates/report.typ")),
    ("summary.typ", include_str!("../templates/summary.typ")),
    ("letter.typ", include_str!("../templates/letter.typ")),
];

/// Files by their name in the root.
pub struct Files {
    folder: Option<PathBuf>,
    document: String,
    model: String,
}

impl Files {
    pub fn new(folder: Option<PathBuf>, document: &str, model: &str) -> Self {
        Self { folder, document: document.to_owned(), model: model.to_owned() }
    }

    fn read(&self, name: &str) -> FileResult<Bytes> {
        match name {
            "document.json" => return Ok(Bytes::from_string(self.document.clone())),
            "model.json" => return Ok(Bytes::from_string(self.model.clone())),
            _ => {}
        }
        if let Some(folder) = &self.folder
            && let Some(bytes) = office_file(folder, name)?
        {
            return Ok(bytes);
        }
        let own = OWN.iter().find(|(own, _)| *own == name);
        own.map(|(_, text)| Bytes::from_string(*text)).ok_or_else(|| FileError::NotFound(name.into()))
    }
}

/// `None` where it is not there. What a link leads out of the folder to is not read.
fn office_file(folder: &Path, name: &str) -> FileResult<Option<Bytes>> {
    let path = folder.join(name);
    let Ok(real) = path.canonicalize() else { return Ok(None) };
    let root = folder.canonicalize().map_err(|error| FileError::from_io(error, folder))?;
    if !real.starts_with(&root) {
        return Err(FileError::AccessDenied);
    }
    let meta = fs::metadata(&real).map_err(|error| FileError::from_io(error, &path))?;
    if meta.is_dir() {
        return Err(FileError::IsDirectory);
    }
    if !meta.is_file() {
        return Err(FileError::AccessDenied);
    }
    if meta.len() > MOST_FILE {
        return Err(FileError::Other(Some(format!("{name} is larger than {} MiB", MOST_FILE >> 20).into())));
    }
    fs::read(&real).map(|bytes| Some(Bytes::new(bytes))).map_err(|error| FileError::from_io(error, &path))
}

pub struct PaperWorld {
    library: LazyHash<Library>,
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
    main: FileId,
    files: Files,
    sources: Mutex<HashMap<FileId, Source>>,
    ident: String,
    today: Option<Datetime>,
}

impl PaperWorld {
    pub fn new(template: &str, files: Files) -> Result<Self, String> {
        let name = format!("{template}.typ");
        files.read(&name).map_err(|error| format!("template {name}: {error}"))?;
        let path = VirtualPath::new(&name).map_err(|error| format!("template {name}: {error:?}"))?;
        let main = RootedPath::new(VirtualRoot::Project, path).intern();
        let fonts = fonts(files.folder.as_deref());
        let document: serde_json::Value =
            serde_json::from_str(&files.document).map_err(|error| format!("document: {error}"))?;
        let model: serde_json::Value = serde_json::from_str(&files.model).map_err(|error| format!("model: {error}"))?;
        let number = document["number"].as_str().unwrap_or_default();
        let ident = format!("{number} {} {template}", document["lang"].as_str().unwrap_or_default());
        Ok(Self {
            library: LazyHash::new(Library::default()),
            book: LazyHash::new(FontBook::from_fonts(&fonts)),
            fonts,
            main,
            files,
            sources: Mutex::new(HashMap::new()),
            ident,
            today: model["made_at"].as_u64().and_then(day),
        })
    }

    /// Of this paper and no other, whenever it is drawn.
    pub fn ident(&self) -> &str {
        &self.ident
    }
}

impl World for PaperWorld {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }
    fn book(&self) -> &LazyHash<FontBook> {
        &self.book
    }
    fn main(&self) -> FileId {
        self.main
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        let known = |sources: &HashMap<FileId, Source>| sources.get(&id).cloned();
        if let Some(source) = self.sources.lock().ok().and_then(|sources| known(&sources)) {
            return Ok(source);
        }
        let bytes = self.file(id)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| FileError::InvalidUtf8)?;
        let source = Source::new(id, text.to_owned());
        if let Ok(mut sources) = self.sources.lock() {
            sources.insert(id, source.clone());
        }
        Ok(source)
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        let path = id.get();
        match path.root() {
            VirtualRoot::Project => self.files.read(path.vpath().get_without_slash()),
            // Nothing is fetched.
            VirtualRoot::Package(_) => Err(FileError::AccessDenied),
        }
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.get(index).cloned()
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        self.today
    }
}

/// Typst's own, and the office's: those come first, so that they are taken where both have a family.
fn fonts(folder: Option<&Path>) -> Vec<Font> {
    let mut all = Vec::new();
    let files = folder.and_then(|folder| fs::read_dir(folder.join("fonts")).ok());
    let name = |file: fs::DirEntry| file.file_name().into_string().ok();
    let mut names: Vec<String> = files.into_iter().flatten().filter_map(|file| name(file.ok()?)).collect();
    names.sort();
    let is_font = |name: &&String| name.ends_with(".ttf") || name.ends_with(".otf");
    for name in names.iter().filter(is_font).take(MOST_FONTS) {
        if let Some(Ok(Some(bytes))) = folder.map(|folder| office_file(folder, &format!("fonts/{name}"))) {
            all.extend(Font::iter(bytes));
        }
    }
    all.extend(typst_assets::fonts().flat_map(|bytes| Font::iter(Bytes::new(bytes))));
    all
}

/// In Indonesia's west; a paper's own words say what matters.
fn day(at_ms: u64) -> Option<Datetime> {
    let days = i64::try_from(at_ms.checked_add(7 * 3_600_000)? / 86_400_000).ok()? + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    Datetime::from_ymd(i32::try_from(year).ok()?, u8::try_from(month).ok()?, u8::try_from(day).ok()?)
}
