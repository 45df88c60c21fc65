//! `rollcall verify`. Invariant: it reads the files it is given and nothing else.

use std::{fs, path::Path};

use rollcall_projections::proof::verify::{Policy, verify};

use super::CliResult;
use crate::service::upcasters;

/// Exit code where a file that was named cannot be read.
const MALFORMED: i32 = 20;

/// Checks a bundle and ends the process with the verdict's exit code, but for 0.
pub fn run(bundle: &Path, policy: &Path, since: Option<&Path>) -> CliResult {
    let code = match check(bundle, policy, since) {
        Ok(code) => i32::from(code),
        Err(error) => {
            eprintln!("rollcall: {error}");
            MALFORMED
        }
    };
    if code == 0 { Ok(()) } else { std::process::exit(code) }
}

fn check(bundle: &Path, policy: &Path, since: Option<&Path>) -> Result<u8, String> {
    let unreadable = |path: &Path| {
        let path = path.display().to_string();
        move |error: std::io::Error| format!("{path}: {error}")
    };
    let policy = Policy::parse(&fs::read_to_string(policy).map_err(unreadable(policy))?)?;
    let since = since.map(|path| fs::read(path).map_err(unreadable(path))).transpose()?;
    let file = fs::File::open(bundle).map_err(unreadable(bundle))?;
    match verify(std::io::BufReader::new(file), &policy, since.as_deref(), &upcasters()) {
        Ok(proven) => {
            proven.told().iter().for_each(|line| println!("{line}"));
            Ok(proven.code())
        }
        Err(fault) => {
            println!("{fault}");
            Ok(fault.code())
        }
    }
}
