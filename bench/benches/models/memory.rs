//! What memory one more model takes, as the system counts it, in a process that has loaded nothing else.

use std::{env, fs, hint::black_box, path::Path, process::Command};

use anyhow::Context;

/// Names the model in such a process.
const VARIABLE: &str = "MEMORY_OF";

/// Returns the resident bytes of each further model of a file, where the system tells.
pub fn of_each(path: &Path) -> anyhow::Result<Option<u64>> {
    let output = Command::new(env::current_exe()?).env(VARIABLE, path).output()?;
    let text = String::from_utf8(output.stdout)?;
    let each: i64 = text.trim().parse().with_context(|| format!("{}: {text}", path.display()))?;
    Ok(u64::try_from(each).ok())
}

/// Measures the model this process was started for, if it was; then there is nothing else to do.
pub fn measured() -> anyhow::Result<bool> {
    let Some(path) = env::var_os(VARIABLE) else { return Ok(false) };
    let bytes = fs::read(path)?;
    // The first pays for what all share; small ones are many, as memory is counted by pages.
    let first = fourstroke_onnx::load(&bytes)?;
    let count = ((16 << 20) / bytes.len().max(64 << 10)).max(2);
    let before = resident();
    let models = (0..count).map(|_| fourstroke_onnx::load(&bytes)).collect::<Result<Vec<_>, _>>()?;
    let after = resident();
    black_box((first, models));
    let each = before.zip(after).map(|(before, after)| (after.saturating_sub(before) / count as u64) as i64);
    println!("{}", each.unwrap_or(-1));
    Ok(true)
}

fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}
