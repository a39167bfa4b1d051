//! A made-up platform, modelled on a stream: it replays a group from the first event that is asked for.

use bytes::Bytes;
use bytestring::ByteString;
use fourstroke::{
    error::{Code, Error, Stage},
    event::{Decoded, Event},
    ports::{Payload, Trigger},
    report::Report,
};

/// Takes payloads of one record per line: `id TAB group TAB body`; no group: the event stands alone. The last line may
/// lack its newline.
///
/// The reply is the ids to replay from: of each group the first that is to be retried, and every one without a group.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryTrigger;

impl Trigger for MemoryTrigger {
    type Reply = Vec<ByteString>;

    fn decode(&self, payload: Payload) -> Result<Vec<Decoded>, Error> {
        let body = payload.body;
        let text = std::str::from_utf8(&body).map_err(|error| {
            Error::poison(Stage::Decode, Code::UNDECODABLE, format!("the payload is not UTF-8: {error}"))
        })?;
        let lines = text.lines().enumerate().filter(|(_, line)| !line.is_empty());
        Ok(lines.map(|(number, line)| record(&body, line, number + 1)).collect())
    }

    fn reply(&self, report: &Report) -> Vec<ByteString> {
        report.replay_from().into_iter().map(|event| event.id.clone()).collect()
    }
}

/// Takes one line apart. The event's body is a slice of the payload.
fn record(payload: &Bytes, line: &str, number: usize) -> Decoded {
    let mut parts = line.splitn(3, '\t');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(id), Some(group), Some(body)) if !id.is_empty() => {
            let event = Event::new(id, payload.slice_ref(body.as_bytes()));
            Decoded::Event(if group.is_empty() { event } else { event.in_group(group) })
        }
        _ => Decoded::Undecodable {
            event: Event::new(format!("line {number}"), payload.slice_ref(line.as_bytes())),
            reason: "a line must be an id, a group (or nothing) and a body, with tabs between them".to_owned(),
        },
    }
}
