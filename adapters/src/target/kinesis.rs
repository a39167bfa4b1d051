//! What a URL names: a stream.

use fourstroke::config::Resource;

/// Reads the URL and options of a sink; gives the stream's name.
pub(crate) fn of_sink(resource: &Resource) -> Result<String, String> {
    let shown = resource.shown();
    let name = resource.rest().strip_prefix("//").unwrap_or_default();
    let fits = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if name.is_empty() || name.len() > 128 || !name.chars().all(fits) {
        return Err(format!(
            "`{shown}` names no stream: write `kinesis://STREAM`, in letters, digits, `_`, `.` and `-`"
        ));
    }
    if resource.fields.is_some() {
        return Err(format!("`fields` means nothing for the sink `{shown}`"));
    }
    Ok(name.to_owned())
}
