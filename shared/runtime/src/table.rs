//! Columns that line up.

use std::fmt;

/// Holds rows of text; the first column is set to the left, all others to the right.
pub(crate) struct Table(Vec<Vec<String>>);

impl Table {
    pub fn new(head: impl IntoIterator<Item = impl Into<String>>) -> Table {
        let mut table = Table(Vec::new());
        table.row(head);
        table
    }

    pub fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        self.0.push(cells.into_iter().map(Into::into).collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.0.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| {
            self.0.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &self.0 {
            let mut line = String::new();
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                if column == 0 {
                    line.push_str(&format!("{cell:<width$}"));
                } else {
                    line.push_str(&format!("  {cell:>width$}"));
                }
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(["", "n"]);
        table.row(["über", "1,000"]);
        table.row(["x", "2"]);
        assert_eq!(table.to_string(), "          n\nüber  1,000\nx         2\n");
    }
}
