//! Runs the examples as a user does: as programs.

// Each test file uses a part of this.
#![allow(dead_code)]

pub(crate) mod job;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};

/// No run takes longer; one that does is killed, and its test fails.
const LIMIT_SECONDS: &str = "120";

/// A file of the repository's `data` directory.
pub(crate) fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../data").join(name)
}

/// The command that runs a program, at most so long.
pub(crate) fn command(program: &str) -> Command {
    let mut command = Command::new("timeout");
    command.args([LIMIT_SECONDS, program]);
    command
}

/// Runs a program to its end, without logs.
pub(crate) fn run<A: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = A>) -> Result<Output> {
    Ok(command(program).arg("--quiet").args(arguments).output()?)
}

/// Runs a program that must succeed and say nothing but its output, which is returned, and how the job goes: no warning.
pub(crate) fn succeed<A: AsRef<OsStr>>(
    program: &str,
    arguments: impl IntoIterator<Item = A>,
) -> Result<String> {
    let output = command(program).args(arguments).output()?;
    let told = String::from_utf8(output.stderr)?;
    let is_fine = output.status.success() && told.lines().all(|line| line.contains(" INFO "));
    ensure!(is_fine, "{program}: {}: {told}", output.status);
    Ok(String::from_utf8(output.stdout)?)
}

/// The finished parts that a file sink has left, by name, and their text. There must be nothing else.
pub(crate) fn parts(directory: &Path) -> Result<Vec<(String, String)>> {
    let mut parts = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().and_then(OsStr::to_str).context("a name")?.to_owned();
        ensure!(name.starts_with("part-"), "{name} is left in {}", directory.display());
        parts.push((name, fs::read_to_string(&path)?));
    }
    parts.sort();
    Ok(parts)
}
