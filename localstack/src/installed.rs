//! Where stand-ins are, and what is told where one is not.

use std::{
    io::{Write as _, stderr},
    path::{Path, PathBuf},
};

/// Finds the folder of a stand-in, or says that it is skipped.
pub(crate) fn installed(name: &str) -> Option<PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/stand-ins");
    if all.join(format!("{name}.installed")).exists() {
        return Some(all.join(name));
    }
    // Not eprintln!, which tests keep to themselves when they pass.
    let _ = writeln!(stderr(), "SKIPPED: {name}'s stand-in is not installed: localstack/install");
    None
}
