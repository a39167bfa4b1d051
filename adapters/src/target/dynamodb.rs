//! What a resource names: a table, and where it is a user's own one, its key.

use std::borrow::Cow;

use fourstroke::config::Resource;

/// A table, and the columns of its key: none where it is ours.
#[derive(Debug, PartialEq)]
pub(crate) struct Target {
    pub(crate) table: String,
    pub(crate) key: Vec<String>,
}

impl Target {
    /// Reads `dynamodb://TABLE`, `dynamodb://TABLE?key=COLUMN` and `dynamodb://TABLE?key=COLUMN,COLUMN`; the columns may
    /// stand in the resource's `key` instead.
    ///
    /// # Errors
    /// One sentence: the URL is of another form, or the key is not one that a table can have.
    pub(crate) fn read(resource: &Resource) -> Result<Target, String> {
        let shown = resource.shown();
        let Some(named) = resource.rest().strip_prefix("//") else {
            return Err(format!("`{shown}` names no table; write `dynamodb://TABLE`"));
        };
        let (table, query) = named.split_once('?').map_or((named, None), |(table, query)| (table, Some(query)));
        let fits = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        if !(3..=255).contains(&table.len()) || !table.chars().all(fits) {
            return Err(format!("`{shown}` names no table: 3 to 255 letters, digits, `_`, `-` and `.` make a name"));
        }
        let key: Cow<'_, [String]> = match query.map(|query| query.strip_prefix("key=")) {
            None => Cow::Borrowed(&resource.key),
            Some(Some(columns)) if resource.key.is_empty() && !columns.contains('&') => {
                columns.split(',').map(str::to_owned).collect()
            }
            Some(Some(_)) if !resource.key.is_empty() => {
                return Err(format!("`{shown}` has a `key` beside the one in its URL; give one of them"));
            }
            Some(_) => return Err(format!("`{shown}` says more than `?key=COLUMN` behind its table")),
        };
        match &*key {
            [first, second] if first == second => {
                return Err(format!("`{shown}` has the column `{first}` twice in its key"));
            }
            [_, _, _, ..] => {
                return Err(format!("`{shown}` has a key of {} columns; a table's key has one or two", key.len()));
            }
            columns if columns.iter().any(String::is_empty) => {
                return Err(format!("`{shown}` has a column without a name in its key"));
            }
            _ => {}
        }
        Ok(Target { table: table.to_owned(), key: key.into_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str, key: &[&str]) -> Result<Target, String> {
        let mut resource = Resource::new("stores.x", url);
        resource.key = key.iter().map(ToString::to_string).collect();
        Target::read(&resource)
    }

    #[test]
    fn a_table_and_its_key_are_named() {
        for (url, key, columns) in [
            ("dynamodb://planes", &[][..], &[][..]),
            ("dynamodb://planes", &["tailnum"], &["tailnum"]),
            ("dynamodb://planes", &["a.b", "c d"], &["a.b", "c d"]),
            ("dynamodb://planes?key=tailnum", &[], &["tailnum"]),
            ("dynamodb://planes?key=origin,hour", &[], &["origin", "hour"]),
        ] {
            let wanted = Target { table: "planes".to_owned(), key: columns.iter().map(ToString::to_string).collect() };
            assert_eq!(read(url, key), Ok(wanted), "{url}");
        }
        assert_eq!(read("dynamodb://A-1_b.c", &[]).unwrap().table, "A-1_b.c");
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (url, key, why) in [
            ("dynamodb:planes", &[][..], "write `dynamodb://TABLE`"),
            ("dynamodb://", &[], "names no table: 3 to 255"),
            ("dynamodb://ab", &[], "names no table: 3 to 255"),
            ("dynamodb://planes/x", &[], "names no table: 3 to 255"),
            ("dynamodb://plänes", &[], "names no table: 3 to 255"),
            ("dynamodb://planes?", &[], "says more than"),
            ("dynamodb://planes?index=x", &[], "says more than"),
            ("dynamodb://planes?key=a&index=x", &[], "says more than"),
            ("dynamodb://planes?key=", &[], "a column without a name"),
            ("dynamodb://planes?key=a,", &[], "a column without a name"),
            ("dynamodb://planes?key=a", &["a"], "beside the one in its URL"),
            ("dynamodb://planes?key=a,a", &[], "the column `a` twice"),
            ("dynamodb://planes", &["a", "b", "c"], "a key of 3 columns"),
        ] {
            let sentence = read(url, key).unwrap_err();
            assert!(sentence.contains(why), "{url}: {sentence}");
        }
    }
}
