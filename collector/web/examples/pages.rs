//! Writes every page in every state to a folder, in both languages, to look at:
//! `cargo run -p takar-web --example pages -- FOLDER`

use std::{fs, io, path::Path};

use takar_web::{Lang, assets, sample::Sample};

fn main() -> io::Result<()> {
    let Some(folder) = std::env::args_os().nth(1) else {
        return Err(io::Error::other("usage: pages FOLDER"));
    };
    let folder = Path::new(&folder);
    let sample = Sample::default();
    for lang in Lang::ALL {
        let into = folder.join(lang.as_str());
        fs::create_dir_all(&into)?;
        for (name, page) in sample.pages(&sample.shell(lang)) {
            // The assets lie beside the pages here.
            fs::write(into.join(format!("{name}.html")), page.replace("/assets/", "../assets/"))?;
        }
    }
    let into = folder.join("assets");
    fs::create_dir_all(&into)?;
    for name in ["takar.css", "favicon.svg"] {
        if let Some(asset) = assets::find(name) {
            fs::write(into.join(name), asset.bytes)?;
        }
    }
    Ok(())
}
