//! The compilers. No foreign standard library has to be downloaded: it is compiled from its source, by the toolchain
//! that is here where it has that source, else by Debian's, unpacked into a folder of our own.
//! The linker and the C compiler are zig's, from PyPI.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context as _;

use crate::place::{Place, ask, run};

/// Debian's newest Rust, kept for its browsers, and what it is linked with. Bookworm and later have it.
const DEBS: [&str; 11] = [
    "rustc-web",
    "cargo-web",
    "rust-web-src",
    "libstd-rust-web-1.96",
    "libstd-rust-web-dev",
    "libllvm22",
    "libgit2-1.5",
    "libhttp-parser2.9",
    "libmbedcrypto7",
    "libmbedx509-1",
    "libmbedtls14",
];
const WHEELS: [&str; 2] = ["ziglang==0.17.1", "cargo-zigbuild==0.24.1"];

/// Whose standard library is compiled. One that is installed ready-made (`rustup target add`) is of no use here: it
/// unwinds, and half of what it brings is for that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Std {
    /// The toolchain's own, by `rustup component add rust-src`.
    Own,
    /// Compiled from Debian's source by Debian's compiler, whose root is this folder.
    Debian(PathBuf),
}

pub struct Tools {
    pub std: Std,
    /// With zig and cargo-zigbuild in its `bin`.
    venv: PathBuf,
}

impl Tools {
    /// Fetches what is not there yet.
    pub fn ready(place: &Place, triple: &str) -> anyhow::Result<Self> {
        let venv = zig(&place.tools())?;
        let std = match own(triple)? {
            Some(std) => std,
            None => Std::Debian(debian(&place.tools())?),
        };
        Ok(Self { std, venv })
    }

    /// In one line, for whoever watches.
    pub fn told(&self) -> &'static str {
        match self.std {
            Std::Own => "the installed toolchain",
            Std::Debian(_) => "Debian's toolchain",
        }
    }

    /// Where the standard library's source is.
    pub fn std_source(&self) -> anyhow::Result<PathBuf> {
        let root = match &self.std {
            Std::Own => PathBuf::from(ask(Command::new("rustc").args(["--print", "sysroot"]))?),
            Std::Debian(root) => root.join("usr"),
        };
        let source = root.join("lib/rustlib/src/rust");
        fs::canonicalize(&source).with_context(|| source.display().to_string())
    }

    /// `cargo zigbuild`, to which the build's own arguments are added.
    pub fn cargo(&self) -> Command {
        let bin = self.venv.join("bin");
        let mut command = Command::new(bin.join("cargo-zigbuild"));
        command.arg("zigbuild");
        self.outfit(&mut command, vec![bin]);
        command
    }

    /// `cargo` itself, for what needs no linker.
    pub fn plain_cargo(&self) -> Command {
        let mut command = Command::new(match &self.std {
            Std::Own => PathBuf::from("cargo"),
            Std::Debian(root) => root.join("usr/bin/cargo"),
        });
        self.outfit(&mut command, Vec::new());
        command
    }

    /// The compilers that `command` is to find, and what is in `path`.
    fn outfit(&self, command: &mut Command, mut path: Vec<PathBuf>) {
        // Of the cargo that runs us: they would send the other cargo back to the first toolchain.
        command.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO").env_remove("RUSTC");
        if let Std::Debian(root) = &self.std {
            path.insert(0, root.join("usr/bin"));
            command.env("LD_LIBRARY_PATH", root.join("usr/lib/x86_64-linux-gnu"));
            command.env("CARGO", root.join("usr/bin/cargo")).env("RUSTC", root.join("usr/bin/rustc"));
        }
        let rest = std::env::var_os("PATH").unwrap_or_default();
        path.extend(std::env::split_paths(&rest));
        command.env("PATH", std::env::join_paths(path).unwrap_or(rest));
    }
}

fn own(triple: &str) -> anyhow::Result<Option<Std>> {
    let rustc = |words: &[&str]| ask(Command::new("rustc").args(words));
    let is_known = rustc(&["--print", "cfg", "--target", triple]).is_ok();
    let root = PathBuf::from(rustc(&["--print", "sysroot"])?);
    let has_source = root.join("lib/rustlib/src/rust/library/std/Cargo.toml").is_file();
    Ok((is_known && has_source).then_some(Std::Own))
}

fn debian(tools: &Path) -> anyhow::Result<PathBuf> {
    let root = tools.join("debian");
    once(&root, "Debian's Rust (about 150 MB)", |into| {
        let debs = into.join("debs");
        fs::create_dir(&debs)?;
        run(Command::new("apt-get").args(["download", "-qq"]).args(DEBS).current_dir(&debs))
            .context("expected Debian's package lists: apt-get update")?;
        for deb in fs::read_dir(&debs)? {
            run(Command::new("dpkg").arg("-x").arg(deb?.path()).arg(into))?;
        }
        Ok(fs::remove_dir_all(debs)?)
    })
    .context("Debian's Rust cannot be fetched; with rustup: rustup component add rust-src")?;
    Ok(root)
}

fn zig(tools: &Path) -> anyhow::Result<PathBuf> {
    let venv = tools.join("zig");
    // A venv knows its own path, so it is made where it stays.
    let done = venv.join("complete");
    if !done.exists() {
        eprintln!("cross: fetching zig and cargo-zigbuild (about 90 MB) …");
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
        let pip = venv.join("bin/pip");
        run(Command::new(pip).args(["install", "--quiet", "--disable-pip-version-check"]).args(WHEELS))?;
        fs::write(&done, WHEELS.join("\n"))?;
    }
    Ok(venv)
}

/// A folder that is there whole or not at all.
fn once(folder: &Path, what: &str, fill: impl FnOnce(&Path) -> anyhow::Result<()>) -> anyhow::Result<()> {
    if folder.exists() {
        return Ok(());
    }
    eprintln!("cross: fetching {what} …");
    let begun = folder.with_extension("part");
    if begun.exists() {
        fs::remove_dir_all(&begun)?;
    }
    fs::create_dir_all(&begun)?;
    fill(&begun)?;
    Ok(fs::rename(begun, folder)?)
}
