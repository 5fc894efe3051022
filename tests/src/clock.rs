//! A wall clock that a test turns: a library that is loaded before the C library. Only the wall clock: how long
//! something takes is what it is.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::ensure;

/// The wall clock is as many seconds ahead as the file in CLOCK_AHEAD says; without the file it is right.
const LIBRARY: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(id, now);
    const char *path = getenv("CLOCK_AHEAD");
    if (failed || id != CLOCK_REALTIME || !path) return failed;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return failed;
    char text[32] = "";
    if (read(file, text, sizeof text - 1) > 0) now->tv_sec += atoll(text);
    close(file);
    return failed;
}
"#;

#[derive(Clone, Debug)]
pub struct TurnedClock {
    library: PathBuf,
    ahead: PathBuf,
}

impl TurnedClock {
    /// Right at first. Needs `cc`, which also links the programs.
    pub fn made_in(folder: &Path) -> anyhow::Result<Self> {
        let (source, library) = (folder.join("clock.c"), folder.join("clock.so"));
        fs::write(&source, LIBRARY)?;
        let mut compile = Command::new("cc");
        let made = compile.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).arg("-ldl").status()?;
        ensure!(made.success(), "cc cannot make {}", library.display());
        Ok(Self { library, ahead: folder.join("clock-ahead") })
    }

    /// A command that goes by this clock.
    pub fn on(&self, command: &mut Command) {
        command.env("LD_PRELOAD", &self.library).env("CLOCK_AHEAD", &self.ahead);
    }

    /// So many seconds before (below zero: behind) the real clock, from now on.
    pub fn turn(&self, ahead_s: i64) -> anyhow::Result<()> {
        // In one piece: it is read at every look at the clock.
        let new = self.ahead.with_extension("new");
        fs::write(&new, ahead_s.to_string())?;
        Ok(fs::rename(new, &self.ahead)?)
    }
}
