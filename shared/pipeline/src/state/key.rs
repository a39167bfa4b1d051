//! Keys made of expressions: of lookups, windows and limits.

use crate::{
    expression::{Evaluator, Expression},
    ports::Key,
    report::Decision,
};

/// Writes a decision's key: the first part is the partition, the others stand in the sort part, behind the kind where there
/// is one. False where one of them is null.
pub(crate) fn write_key(
    parts: &[Expression],
    kind: &str,
    decision: &mut Decision,
    evaluator: &mut Evaluator,
    (partition, sort): (&mut String, &mut String),
) -> Result<bool, String> {
    partition.clear();
    sort.clear();
    sort.push_str(kind);
    let behind = usize::from(!kind.is_empty());
    for (place, part) in parts.iter().enumerate() {
        let Some(part) = part.str(&mut decision.record, evaluator)? else { return Ok(false) };
        match place {
            0 => partition.push_str(&part),
            place => Key::push_part(sort, place - 1 + behind, &part),
        }
    }
    Ok(!parts.is_empty())
}
