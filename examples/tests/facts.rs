//! Each fact of `docs/tested-facts.md` has a test that names its number.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};

/// The numbers in the first column of the page, as names of tests have them: `s19`, `v8_3_3`.
fn facts(page: &str) -> Vec<String> {
    let numbers = page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    let names = numbers.filter_map(|number| match number.strip_prefix('S') {
        Some(number) => Some(format!("s{number}")),
        None if number.starts_with(|c: char| c.is_ascii_digit()) => {
            Some(format!("v{}", number.replace('.', "_")))
        }
        None => None,
    });
    names.collect()
}

/// Adds the names of all tests below a directory; programs that must not compile are tests by their files.
fn add_tests(directory: &Path, tests: &mut BTreeSet<String>) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            add_tests(&path, tests)?;
            continue;
        }
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        if directory.ends_with("tests/ui") {
            tests.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
        let text = fs::read_to_string(&path)?;
        let mut is_test = false;
        for line in text.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix("fn ").and_then(|line| line.split(['(', '<']).next())
                && is_test
            {
                tests.insert(name.to_owned());
            }
            is_test = line == "#[test]";
        }
    }
    Ok(())
}

#[test]
fn each_fact_has_a_test_that_names_its_number() -> Result<()> {
    let facts = facts(include_str!("../../docs/tested-facts.md"));
    ensure!(facts.len() > 80, "{} facts", facts.len());
    let mut tests = BTreeSet::new();
    for directory in ["../crates", "tests"] {
        add_tests(&Path::new(env!("CARGO_MANIFEST_DIR")).join(directory), &mut tests)?;
    }
    let names = |test: &String, fact: &String| {
        test.starts_with(&format!("{fact}_")) || test.contains(&format!("_{fact}_"))
    };
    let untested: Vec<_> = facts.iter().filter(|fact| !tests.iter().any(|test| names(test, fact))).collect();
    ensure!(untested.is_empty(), "no test names {untested:?}");
    Ok(())
}
