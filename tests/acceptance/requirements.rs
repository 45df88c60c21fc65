//! `tests/requirements.csv` says what holds; this holds it to the test functions.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

#[derive(serde::Deserialize)]
struct Row {
    id: String,
    state: String,
    title: String,
    tests: String,
}

fn tests_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rows() -> Vec<Row> {
    csv::Reader::from_path(tests_folder().join("requirements.csv"))
        .expect("the list is there")
        .deserialize()
        .collect::<Result<_, _>>()
        .expect("every row has id, state, title and tests")
}

/// Names of all functions under a test attribute, by the requirement id they begin with.
fn test_functions() -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in sources(&tests_folder().join("acceptance")) {
        let source = fs::read_to_string(&file).expect("a source file is text");
        let mut is_test = false;
        for line in source.lines().map(str::trim) {
            if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                is_test = true;
            } else if let Some(name) = function_name(line).filter(|_| is_test) {
                is_test = false;
                if let Some(id) = requirement_of(name) {
                    found.entry(id).or_default().insert(name.to_owned());
                }
            }
        }
    }
    found
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

fn function_name(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ")?;
    rest.split_once('(').map(|(name, _)| name)
}

/// `mc_03_token…` shows MC-03.
fn requirement_of(name: &str) -> Option<String> {
    let mut parts = name.split('_');
    let (prefix, number) = (parts.next()?, parts.next()?);
    let known = ["mc", "cc", "al", "cx", "gn"].contains(&prefix);
    let numeric = number.len() == 2 && number.bytes().all(|byte| byte.is_ascii_digit());
    (known && numeric).then(|| format!("{}-{number}", prefix.to_uppercase()))
}

#[test]
fn requirements_csv_names_every_requirement_once() {
    let rows = rows();
    let ids: BTreeSet<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids.len(), rows.len(), "an id stands twice");
    for (prefix, count) in [("MC", 85), ("CC", 15), ("AL", 34), ("CX", 31), ("GN", 35)] {
        let missing: Vec<_> = (1..=count)
            .map(|n| format!("{prefix}-{n:02}"))
            .filter(|id| !ids.contains(id.as_str()))
            .collect();
        assert!(missing.is_empty(), "missing: {missing:?}");
    }
    assert_eq!(rows.len(), 200);
    assert!(rows.iter().all(|row| !row.title.is_empty()));
}

#[test]
fn requirements_csv_agrees_with_the_tests() {
    let mut functions = test_functions();
    let mut wrong = Vec::new();
    for row in rows() {
        let listed: BTreeSet<String> = row.tests.split_whitespace().map(str::to_owned).collect();
        let present = functions.remove(&row.id).unwrap_or_default();
        if listed != present {
            wrong.push(format!("{}: listed {listed:?}, present {present:?}", row.id));
        }
        let fits = match row.state.as_str() {
            "done" | "partial" => !listed.is_empty(),
            "open" => listed.is_empty(),
            _ => false,
        };
        if !fits {
            wrong.push(format!("{}: state {} with tests {listed:?}", row.id, row.state));
        }
    }
    wrong.extend(functions.into_keys().map(|id| format!("{id}: tests, but no such requirement")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
